"""Fixtures for every test: real servers, own topics, and the real data if they exist."""

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    ConsumerRecord,
    TopicPartition,
)
from apache_kafka import GIVEN, JARS, ApacheKafka, apache_kafka
from hypothesis import settings as hypothesis_settings

from app.concerns import KafkaSettings
from app.local.servers import embedded_broker, embedded_redis

pytest_plugins = ["runs", "shops"]

# A shell starts what runs in the background with SIGINT ignored, and programs inherit that. Tests
# of Ctrl-C start programs that must not ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The first call of a compiled function takes seconds, so the time of one example says nothing.
# Each run tries the same examples: a change is refused for its own faults only. `make explore`
# tries others.
hypothesis_settings.register_profile("headrace", deadline=None, derandomize=True)
hypothesis_settings.register_profile("explore", deadline=None, derandomize=False, print_blob=True)
hypothesis_settings.load_profile("headrace")

ReadTopic = Callable[[str], Awaitable[list[ConsumerRecord]]]


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the bootstrap address of a broker that the whole test run shares."""
    if GIVEN:
        yield GIVEN
    elif JARS:
        yield request.getfixturevalue("apache").open
    else:
        with embedded_broker(tmp_path_factory.mktemp("broker")) as bootstrap:
            yield bootstrap


@pytest.fixture(scope="session")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """Return an Apache Kafka that the whole test run shares. Skips the test if there is none."""
    if not JARS:
        pytest.skip("needs Apache Kafka itself: make test-kafka")
    with apache_kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a Redis server that the whole test run shares."""
    with embedded_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def kafka(broker: str) -> KafkaSettings:
    """Return settings with a topic prefix and a group of this test alone."""
    name = f"test-{uuid4().hex[:12]}"
    return KafkaSettings(bootstrap=broker, topic_prefix=f"{name}-", group=name, partitions=4)


@pytest.fixture
def read_topic(broker: str) -> ReadTopic:
    """Return a function that reads all records that a topic holds now, by partition."""

    async def read(topic: str) -> list[ConsumerRecord]:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
        await consumer.start()
        try:
            await consumer._client._wait_on_metadata(topic)
            places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
            consumer.assign(places)
            records: list[ConsumerRecord] = []
            for place, end in (await consumer.end_offsets(places)).items():
                while await consumer.position(place) < end:
                    records += (await consumer.getmany(place, timeout_ms=1000)).get(place, [])
            return sorted(records, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    return read


@pytest.fixture(scope="session")
def shop_data() -> Path:
    """Return the folder of real shop data. Skips the test if it does not exist."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HEADRACE_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real shop data: {folder} is not there (HEADRACE_TEST_DATA names another place)")
    return folder

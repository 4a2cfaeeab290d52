"""Three brokers of Apache Kafka; one fails while events come in, and each event counts once."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]  # ships no types
from apache_cluster import BROKERS, KafkaCluster, kafka_cluster
from apache_kafka import JARS
from forgetting import run
from shops import Shop
from workers import environment, is_ready, running_worker, until

from app.checkup.doctor import Status
from app.checkup.kafka_server import check_topics
from app.checkup.topic_copies import CHECK
from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics

pytestmark = [
    pytest.mark.skipif(not JARS, reason="needs Apache Kafka itself: make test-kafka"),
    pytest.mark.timeout(400),  # three brokers start, on a busy machine
]

USERS, EVENTS_A_USER = 100, 100
KILLED_AFTER = 2_000
RECENT = 30
NOW = time.time()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KafkaCluster]:
    with kafka_cluster(tmp_path / "kafka") as running:
        yield running


@pytest.fixture
def one_broker(tmp_path: Path) -> Iterator[KafkaCluster]:
    with kafka_cluster(tmp_path / "kafka", brokers=1) as running:
        yield running


async def send(kafka: KafkaSettings, rows: range) -> None:
    """Events of all users: each is sent once, and acknowledged by two brokers at least."""
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, linger_ms=5, acks="all", enable_idempotence=True, request_timeout_ms=60_000
    ) as producer:
        for row in rows:
            sent = []
            for user in range(USERS):
                event = {"event_id": f"u{user}-{row}", "user_id": f"u{user}", "item_id": f"i{row}", "ts": NOW + row}
                topic = f"{kafka.topic_prefix}views"
                sent.append(await producer.send(topic, orjson.dumps(event), key=f"u{user}".encode()))
            await asyncio.gather(*sent)


async def coordinator(kafka: KafkaSettings) -> int:
    """The number of the broker that keeps the group's offsets."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        return int(await admin.find_coordinator(kafka.group))
    finally:
        await admin.close()


async def test_each_event_counts_once_though_the_broker_with_the_offsets_fails_under_load(
    cluster: KafkaCluster, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=f"{name}-", group=name, partitions=3)
    environ = environment(kafka, redis_settings, HEADRACE_KAFKA_REPLICATION=str(BROKERS))
    events = USERS * EVENTS_A_USER
    with running_worker(environ, tmp_path / "worker.log") as worker:
        sending = asyncio.create_task(send(kafka, range(EVENTS_A_USER)))
        await asyncio.to_thread(until, lambda: worker.read().events >= KILLED_AFTER, worker.log)
        lost = cluster.broker(await coordinator(kafka))
        lost.kill()
        assert not sending.done()
        await sending
        until(lambda: all(views(shop, user) >= EVENTS_A_USER for user in range(USERS)), worker.log)
        until(lambda: worker.read().lag == 0, worker.log)
        until(lambda: is_ready(worker.url), worker.log)
        assert worker.read().events < 2 * events
    for user in range(USERS):
        assert views(shop, user) == EVENTS_A_USER, user
        rows = orjson.loads(shop.redis.hget(shop.keys.profile(f"u{user}"), "recent") or b"[]")
        assert [row[0] for row in rows] == [f"i{row}" for row in range(EVENTS_A_USER)][: -RECENT - 1 : -1], user
    # The log has them all too: the profiles are what it gives.
    living = ",".join(f"localhost:{each.port}" for each in cluster.brokers if each is not lost)
    audit = run("audit", environment(replace(kafka, bootstrap=living), redis_settings), "--all", "--json")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert orjson.loads(audit.stdout)["users"] == USERS


def views(shop: Shop, user: int) -> int:
    counts = shop.redis.hget(shop.keys.profile(f"u{user}"), "counts")
    return round(orjson.loads(counts)["view"]) if counts else 0


async def test_a_worker_goes_on_by_itself_once_its_only_broker_is_back(
    one_broker: KafkaCluster, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=one_broker.bootstrap, topic_prefix=f"{name}-", group=name, partitions=3)
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await send(kafka, range(10))
        until(lambda: all(views(shop, user) == 10 for user in range(USERS)), worker.log)
        one_broker.brokers[0].kill()
        until(lambda: not is_ready(worker.url), worker.log)
        one_broker.start_again(one_broker.brokers[0])
        await send(kafka, range(10, 20))
        until(lambda: all(views(shop, user) >= 20 for user in range(USERS)), worker.log)
        until(lambda: is_ready(worker.url), worker.log)
        until(lambda: worker.read().lag == 0, worker.log)
    assert {views(shop, user) for user in range(USERS)} == {20}
    audit = run("audit", environment(kafka, redis_settings), "--all", "--json")
    assert audit.returncode == 0, audit.stdout + audit.stderr


@pytest.mark.parametrize(
    ("replication", "status", "words"),
    [(3, Status.OK, "3 brokers hold each topic"), (1, Status.WARNING, "one broker alone holds all topics")],
)
async def test_the_doctor_tells_topics_that_a_lost_broker_takes_along(
    cluster: KafkaCluster, replication: int, status: Status, words: str
) -> None:
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=cluster.bootstrap, topic_prefix=f"{name}-", partitions=1, replication=replication)
    await create_topics(kafka)
    [finding] = [each for each in await check_topics(kafka) if each.check == CHECK]
    assert finding.status is status
    assert words in finding.detail

"""One suite for the `Outbox` of memory and of Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin.config_resource import (  # type: ignore[import-untyped]  # ships no types
    ConfigResource,
    ConfigResourceType,
)
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types
from apache_kafka import apache_only
from builders import rejected
from fakes import MemoryOutbox
from made_topics import admin_of
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.ports import Outbox
from app.concerns import KafkaSettings
from app.health import Health
from app.kafka.failure import kafka_retry_errors
from app.kafka.outbox import KafkaOutbox, make_batch_producer
from app.kafka.raw_batch import to_raw_batch
from app.kafka.topics import Topics, create_topics, topics
from app.retry import Retry
from models.contract.forgetting import Copied, forgotten_headers, forgotten_sessions, forgotten_user
from models.contract.moved import Moved
from models.contract.outcome import Reason
from models.quality.assessment import Assessment, decode_assessment

ReadTopic = Callable[[str], Awaitable[list[ConsumerRecord]]]
Records = list[tuple[int, str, bytes | None]]
TWO_MEGABYTES = b'{"event_id": "' + b"x" * 2_000_000


@dataclass
class Sent:
    """An outbox, and what readers of its topics see: (partition, key, value), by partition."""

    outbox: Outbox
    interactions: Callable[[], Awaitable[Records]]
    recommendations: Callable[[], Awaitable[Records]]
    quarantined: Callable[[], Awaitable[list[tuple[int, bytes | None, bytes | None]]]]


@pytest.fixture
async def kafka_outbox(kafka: KafkaSettings) -> AsyncIterator[KafkaOutbox]:
    await create_topics(kafka)
    producer = make_batch_producer(kafka)
    await producer.start()
    retry = Retry("Kafka", kafka_retry_errors(), Health(), Metrics(CollectorRegistry()).retries)
    yield KafkaOutbox(producer, topics(kafka), retry)
    await producer.stop()


@pytest.fixture
def names(kafka: KafkaSettings) -> Topics:
    return topics(kafka)


@pytest.fixture(params=["memory", "kafka"])
def sent(request: pytest.FixtureRequest, read_topic: ReadTopic, names: Topics) -> Sent:
    return in_memory() if request.param == "memory" else in_kafka(request, read_topic, names)


def in_memory() -> Sent:
    outbox = MemoryOutbox()

    def reader(logs: Mapping[int, Sequence[tuple[str, bytes | None]]]) -> Callable[[], Awaitable[Records]]:
        async def read() -> Records:
            return [(place, key, value) for place in sorted(logs) for key, value in logs[place]]

        return read

    async def quarantined() -> list[tuple[int, bytes | None, bytes | None]]:
        by_partition = sorted(outbox.quarantined, key=lambda each: each.partition)
        return [(each.partition, each.key, each.value) for each in by_partition]

    return Sent(outbox, reader(outbox.interactions_log), reader(outbox.recommendations_log), quarantined)


def in_kafka(request: pytest.FixtureRequest, read_topic: ReadTopic, names: Topics) -> Sent:
    def reader(topic: str) -> Callable[[], Awaitable[Records]]:
        async def read() -> Records:
            return [(each.partition, each.key.decode(), each.value) for each in await read_topic(topic)]

        return read

    async def quarantined() -> list[tuple[int, bytes | None, bytes | None]]:
        return [(each.partition, each.key, each.value) for each in await read_topic(names.quarantine)]

    outbox: KafkaOutbox = request.getfixturevalue("kafka_outbox")
    return Sent(outbox, reader(names.interactions), reader(names.recommendations), quarantined)


async def test_interactions_keep_their_partition_and_their_order(sent: Sent) -> None:
    await sent.outbox.interactions(2, ["u1", "u2", "u1"], [b"1", b"2", b"3"])
    await sent.outbox.interactions(0, ["u3"], [b"4"])
    await sent.outbox.interactions(2, ["u1"], [b"5"])
    assert await sent.interactions() == [
        (0, "u3", b"4"),
        (2, "u1", b"1"),
        (2, "u2", b"2"),
        (2, "u1", b"3"),
        (2, "u1", b"5"),
    ]


async def test_a_forgotten_user_is_told_of_with_no_list(sent: Sent) -> None:
    await sent.outbox.recommendations(1, {"u1": b"list 1"})
    await sent.outbox.recommendations(1, {"u1": None})
    assert await sent.recommendations() == [(1, "u1", b"list 1"), (1, "u1", None)]


async def test_lists_keep_their_partition_and_are_keyed_by_user(sent: Sent) -> None:
    await sent.outbox.recommendations(1, {"é": b"list 1", "u2": b"list 2"})
    await sent.outbox.recommendations(1, {"é": b"list 3"})
    assert await sent.recommendations() == [(1, "é", b"list 1"), (1, "u2", b"list 2"), (1, "é", b"list 3")]


@pytest.mark.parametrize(
    "value", [b"{", b"", b"\xff\xfe\x00", None, TWO_MEGABYTES], ids=["broken", "empty", "binary", "null", "2 MB"]
)
@pytest.mark.parametrize("key", [b"u1", b"\xff", b"", None])
async def test_quarantine_keeps_key_and_value_untouched(sent: Sent, key: bytes | None, value: bytes | None) -> None:
    await sent.outbox.quarantine([rejected(value, key=key, partition=3)])
    assert await sent.quarantined() == [(3, key, value)]


async def test_rejections_of_several_partitions_go_where_they_came_from(sent: Sent) -> None:
    await sent.outbox.quarantine([rejected(str(n).encode(), partition=n % 3) for n in range(6)])
    found = [(partition, value) for partition, _, value in await sent.quarantined()]
    assert found == [(0, b"0"), (0, b"3"), (1, b"1"), (1, b"4"), (2, b"2"), (2, b"5")]


async def test_assessments_keep_their_partition_and_all_that_they_say(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    full = Assessment("0123456789abcdef", "minilm-int8", b"\x00\x3c\x00\x40", "quality-1", 0.25, ("spam", "markup"))
    await kafka_outbox.vectors(1, {"é": full, "plain": Assessment("00" * 8)})
    await kafka_outbox.vectors(1, {"é": None})
    found = [(each.partition, each.key.decode(), each.value, each.headers) for each in await read_topic(names.vectors)]
    assert [each[:2] for each in found] == [(1, "é"), (1, "plain"), (1, "é")]
    assert decode_assessment(found[0][2], dict(found[0][3])) == full
    assert decode_assessment(found[1][2], dict(found[1][3])) == Assessment("00" * 8)
    assert found[2][2] is None


async def test_nothing_to_write_writes_nothing(sent: Sent) -> None:
    await sent.outbox.interactions(0, [], [])
    await sent.outbox.recommendations(0, {})
    await sent.outbox.quarantine([])
    assert [await sent.interactions(), await sent.recommendations(), await sent.quarantined()] == [[], [], []]


async def test_keys_and_values_that_do_not_pair_are_a_bug(sent: Sent) -> None:
    with pytest.raises(ValueError, match="zip"):
        await sent.outbox.interactions(0, ["u1", "u2"], [b"1"])


async def test_a_quarantined_record_says_why_and_where_it_was(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    each = rejected(
        reason=Reason.EMPTY_ID, detail="item_id is empty: é", topic="shop.clicks", partition=1, offset=2**40
    )
    await kafka_outbox.quarantine([each])
    [record] = await read_topic(names.quarantine)
    assert {name: value.decode() for name, value in record.headers} == {
        "reason": "empty_id",
        "detail": "item_id is empty: é",
        "source-topic": "shop.clicks",
        "source-partition": "1",
        "source-offset": str(2**40),
        "format": "1",
    }


async def test_a_detail_of_any_length_fits_into_its_header(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    await kafka_outbox.quarantine([rejected(detail="商" * 100_000)])
    [record] = await read_topic(names.quarantine)
    assert dict(record.headers)["detail"].decode() == "商" * 500


async def test_the_largest_message_that_can_come_in_can_be_quarantined(
    kafka: KafkaSettings, kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    value = b"x" * (kafka.max_message_bytes - 200)
    await kafka_outbox.quarantine([rejected(value, detail="商" * 500), rejected(b"{")])
    assert [record.value for record in await read_topic(names.quarantine)] == [value, b"{"]


async def test_more_than_one_message_can_hold_stays_in_order(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    values = [str(number).encode() + TWO_MEGABYTES for number in range(12)]
    await kafka_outbox.interactions(0, [f"u{number}" for number in range(12)], values)
    assert [record.value for record in await read_topic(names.interactions)] == values


@apache_only  # the embedded broker takes records of any size
async def test_a_topic_that_takes_small_batches_only_gets_each_record_once_and_in_order(
    kafka: KafkaSettings, kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    await set_topic(kafka, names.interactions, "max.message.bytes", "20000")
    values = [b"%d" % number * 50 for number in range(2_000)]
    await kafka_outbox.interactions(0, [f"u{number}" for number in range(2_000)], values)
    assert [record.value for record in await read_topic(names.interactions)] == values


@apache_only
async def test_a_record_that_the_topic_does_not_take_waits_with_a_reason_and_nothing_goes_twice(
    kafka: KafkaSettings, kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    await set_topic(kafka, names.recommendations, "max.message.bytes", "20000")
    lists: dict[str, bytes | None] = {"ada": b"short", "ben": b"x" * 30_000, "eva": b"short"}
    sending = asyncio.create_task(kafka_outbox.recommendations(0, lists))
    health = kafka_outbox.retry.health
    async with asyncio.timeout(20):
        while "takes no record of 30,0" not in health.detail:
            await asyncio.sleep(0.02)
    assert "raise max.message.bytes of the topic" in health.detail
    await set_topic(kafka, names.recommendations, "max.message.bytes", "40000")
    await asyncio.wait_for(sending, 30)
    assert [record.key for record in await read_topic(names.recommendations)] == [b"ada", b"ben", b"eva"]
    assert health.detail == Health().detail


async def set_topic(kafka: KafkaSettings, topic: str, name: str, value: str) -> None:
    """Change a setting of a topic, as its owner would while Headrace runs; returns once the broker
    goes by it.
    """
    async with admin_of(kafka) as admin, asyncio.timeout(20):
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])
        while True:
            [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            if {entry[0]: entry[1] for entry in answer.resources[0][4]}.get(name) == value:
                return
            await asyncio.sleep(0.02)


async def test_a_partition_that_the_topic_does_not_have_is_folded_into_those_it_has(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    await kafka_outbox.recommendations(6, {"u1": b"list"})
    assert [record.partition for record in await read_topic(names.recommendations)] == [2]


def test_a_broker_that_is_away_is_tried_again() -> None:
    assert issubclass(KafkaError, kafka_retry_errors())
    assert issubclass(ConnectionRefusedError, kafka_retry_errors())


async def test_a_moved_event_lies_in_its_users_partition_with_its_origin(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    events = [Moved(n % 2, f"u{n}", "shop.views", 3, "17", 100 + n, 1_760_000_000.5, b"{}") for n in range(4)]
    await kafka_outbox.move(events)
    found = await read_topic(names.moved)
    assert [(each.partition, each.key) for each in found] == [(0, b"u0"), (0, b"u2"), (1, b"u1"), (1, b"u3")]
    assert dict(found[1].headers) == {
        "source-topic": b"shop.views",
        "source-partition": b"3",
        "source-offset": b"102",
        "format": b"1",
        "source-log": b"17",
        "source-time": b"1760000000500",
    }


async def test_interactions_say_that_a_user_is_forgotten_and_which_sessions_were_the_users(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    await kafka_outbox.forgotten(1, {"é": {2**64 - 1, 7}, "nobody": set()})
    batch = to_raw_batch(names.interactions, 1, await read_topic(names.interactions))
    assert [forgotten_user(batch, row) for row in range(2)] == ["é", "nobody"]
    assert [forgotten_sessions(batch, row).tolist() for row in range(2)] == [[7, 2**64 - 1], []]


async def test_records_are_appended_again_with_their_times_and_known_as_own(
    kafka_outbox: KafkaOutbox, read_topic: ReadTopic, names: Topics
) -> None:
    await kafka_outbox.interactions(1, ["u1"], [b"0"])
    copied = [Copied(b"u1", b"%d" % n + TWO_MEGABYTES, [], 1_760_000_000_000 + n) for n in range(5)]
    copied.append(Copied(None, None, forgotten_headers([7]), 1_760_000_000_009))
    assert await kafka_outbox.append_again(1, copied) == 1
    found = await read_topic(names.interactions)
    assert [(each.key, each.value, each.timestamp) for each in found[1:]] == [
        (each.key, each.value, each.time) for each in copied
    ]
    assert kafka_outbox.own.without(1, found) == []

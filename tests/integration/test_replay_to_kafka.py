"""A replayed log arrives whole, in order, and in the right partitions."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.datasets.record import Record
from app.errors import HeadraceError
from app.kafka import replay as replay_module
from app.kafka.partitioning import by_murmur2, partition_function
from app.kafka.replay import BATCH_BYTES, WINDOW_RECORDS, Pace, producer_for, replay
from app.kafka.topics import create_topics, topics
from app.local.servers import embedded_broker

ReadTopic = Callable[[str], Awaitable[list[ConsumerRecord]]]


def log(count: int, *, topic: str = "views", users: int = 50) -> list[Record]:
    return [Record(topic, b"u%d" % (number % users), b"%d" % number, float(number)) for number in range(count)]


async def send(kafka: KafkaSettings, records: list[Record], pace: Pace | None = None) -> Counter[str]:
    await create_topics(kafka)
    async with producer_for(kafka) as producer:
        return await replay(records, producer, pace or Pace(), prefix=kafka.topic_prefix)


async def test_every_record_arrives_once_in_the_order_of_its_partition(
    kafka: KafkaSettings, read_topic: ReadTopic
) -> None:
    records = log(3 * WINDOW_RECORDS + 7)
    assert await send(kafka, records) == {"views": len(records)}
    arrived = await read_topic(topics(kafka).views)
    for partition in range(kafka.partitions):
        expected = [each.value for each in records if by_murmur2(each.key, kafka.partitions) == partition]
        assert [each.value for each in arrived if each.partition == partition] == expected


async def test_users_go_where_producers_with_crc32_put_them(kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    await create_topics(kafka)
    by_crc32 = partition_function("crc32")
    async with producer_for(kafka) as producer:
        await replay(log(40, users=40), producer, Pace(), prefix=kafka.topic_prefix, partition_of=by_crc32)
    arrived = await read_topic(topics(kafka).views)
    assert [each.partition for each in arrived] == [by_crc32(each.key, kafka.partitions) for each in arrived]
    assert len(arrived) == 40


async def test_records_go_where_a_plain_producer_would_send_them(kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    records = log(40, users=40)
    await send(kafka, records)
    async with producer_for(kafka) as producer:
        for record in records:
            await producer.send_and_wait(topics(kafka).clicks, record.value, record.key)
    views, clicks = await read_topic(topics(kafka).views), await read_topic(topics(kafka).clicks)
    assert {each.key: each.partition for each in views} == {each.key: each.partition for each in clicks}


async def test_null_values_missing_keys_and_headers_arrive_as_they_are(
    kafka: KafkaSettings, read_topic: ReadTopic
) -> None:
    headers = (("reason", b"unknown_kind"), ("detail", "ä".encode()))
    records = [Record("items", b"i1", None, None), Record("quarantine", None, b"\xff,poke", None, headers)]
    assert await send(kafka, records) == {"items": 1, "quarantine": 1}
    [item] = await read_topic(topics(kafka).items)
    [odd] = await read_topic(topics(kafka).quarantine)
    assert (item.key, item.value) == (b"i1", None)
    assert (odd.key, odd.value, odd.headers) == (None, b"\xff,poke", headers)


async def test_kafkas_timestamp_is_the_time_of_sending(kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    before = time.time()
    await send(kafka, [Record("views", b"u", b"v", 874724710.0)])
    [record] = await read_topic(topics(kafka).views)
    assert before - 1 <= record.timestamp / 1000 <= time.time() + 1


async def test_a_record_larger_than_a_batch_goes_alone(kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    large = bytes(BATCH_BYTES * 4)
    records = [Record("views", b"u", value, None) for value in (b"a", large, b"b", b"c")]
    assert await send(kafka, records) == {"views": 4}
    assert [each.value for each in await read_topic(topics(kafka).views)] == [b"a", large, b"b", b"c"]


async def test_a_paced_log_takes_its_time(kafka: KafkaSettings) -> None:
    started = time.monotonic()
    await send(kafka, [Record("views", b"u", b"v", ts) for ts in (0.0, 10.0, 30.0)], Pace(speed=100))
    assert 0.3 <= time.monotonic() - started < 10


async def test_room_is_asked_for_before_each_window(kafka: KafkaSettings) -> None:
    asked: list[int] = []
    shown: list[int] = []

    async def room(sent: int) -> None:
        asked.append(sent)

    pace = Pace(room=room, progress=lambda counts: shown.append(counts.total()))
    await send(kafka, log(2 * WINDOW_RECORDS + 1), pace)
    assert asked == [0, WINDOW_RECORDS, 2 * WINDOW_RECORDS]
    assert shown == sorted(shown)
    assert shown[-1] == 2 * WINDOW_RECORDS + 1


async def test_a_full_room_holds_the_log_back(kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    taken = asyncio.Event()

    async def room(sent: int) -> None:
        if sent:
            await taken.wait()

    sending = asyncio.create_task(send(kafka, log(2 * WINDOW_RECORDS), Pace(room=room)))
    async with asyncio.timeout(10):
        while len(await read_topic(topics(kafka).views)) < WINDOW_RECORDS:
            await asyncio.sleep(0.01)
    assert len(await read_topic(topics(kafka).views)) == WINDOW_RECORDS
    taken.set()
    assert await sending == {"views": 2 * WINDOW_RECORDS}


async def test_a_cancelled_replay_leaves_nothing_on_its_way(kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    acknowledged: Counter[str] = Counter()
    halfway = asyncio.Event()

    def endless() -> Iterator[Record]:
        number = 0
        while True:
            yield Record("views", b"u%d" % (number % 9), b"%d" % number, None)
            number += 1

    def progress(counts: Counter[str]) -> None:
        nonlocal acknowledged
        acknowledged = counts
        if counts.total() >= 3 * WINDOW_RECORDS:
            halfway.set()

    async def play() -> None:
        async with producer_for(kafka) as producer:
            await replay(endless(), producer, Pace(progress=progress), prefix=kafka.topic_prefix)

    await create_topics(kafka)
    playing = asyncio.create_task(play())
    await asyncio.wait_for(halfway.wait(), 10)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert len(await read_topic(topics(kafka).views)) == acknowledged.total()


async def test_a_broker_that_goes_away_for_good_is_an_error_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "ATTEMPT_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(replay_module, "REQUEST_TIMEOUT_SECONDS", 0.5)
    with embedded_broker(tmp_path) as bootstrap:
        kafka = KafkaSettings(bootstrap=bootstrap)
        await create_topics(kafka)
        opened = producer_for(kafka)
        producer = await opened.__aenter__()
        assert await replay(log(10), producer, Pace()) == {"views": 10}
    try:
        with pytest.raises(HeadraceError, match="Kafka stopped taking records after 0 of them"):
            await replay(log(10), producer, Pace())
    finally:
        await opened.__aexit__(None, None, None)


async def test_no_broker_is_an_error_with_advice() -> None:
    with pytest.raises(HeadraceError, match=r"no Kafka answers at 127\.0\.0\.1:1.*HEADRACE_KAFKA_BOOTSTRAP"):
        async with producer_for(KafkaSettings(bootstrap="127.0.0.1:1")):
            pass

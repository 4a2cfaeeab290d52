"""What only Apache Kafka does to a log: retention, compaction, and the broker's own time."""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from apache_kafka import ApacheKafka
from conftest import ReadTopic
from made_topics import make_topics
from shops import Shop
from workers import RunningWorker, environment, running_worker, until

from app.checkup.progress import check_lag
from app.concerns import KafkaSettings, RedisSettings
from app.kafka.removal import remove_before
from app.kafka.topics import create_topics

ITEMS, ROUNDS = 200, 5


@pytest.fixture
def kafka(apache: ApacheKafka) -> KafkaSettings:
    name = f"test-{uuid4().hex[:12]}"
    return KafkaSettings(bootstrap=apache.open, topic_prefix=f"{name}-", group=name, partitions=1)


async def view(kafka: KafkaSettings, numbers: range, **more: Any) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in numbers:
            value = {"event_id": f"e{number}", "user_id": "ada", "item_id": f"i{number}", "ts": time.time()}
            fields, milliseconds = {k: v for k, v in more.items() if k != "timestamp_ms"}, more.get("timestamp_ms")
            topic = f"{kafka.topic_prefix}views"
            await producer.send(topic, orjson.dumps(value | fields), b"ada", timestamp_ms=milliseconds)


def views(shop: Shop) -> int:
    counts = shop.redis.hget(shop.keys.profile("ada"), "counts")
    return round(orjson.loads(counts)["view"]) if counts else 0


def first_seen(shop: Shop, kafka: KafkaSettings) -> int:
    """The first offset of the partition as the worker saw it last; it looks every 5 s."""
    return int((shop.redis.get(shop.keys.start(f"{kafka.topic_prefix}views-0")) or b"0 0").split()[0])


def resets(worker: RunningWorker) -> tuple[int, int]:
    """How often the worker went elsewhere because records were removed, and how many it missed."""
    removed = worker.metric("headrace_offset_resets_total", reason="removed")
    return removed, worker.metric("headrace_skipped_offsets_total")


async def test_retention_below_the_committed_offset_is_no_loss_and_beyond_it_a_counted_one(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    await create_topics(kafka)
    environ, place = environment(kafka, redis_settings), TopicPartition(f"{kafka.topic_prefix}views", 0)
    with running_worker(environ, tmp_path / "first.log") as worker:
        await view(kafka, range(100))
        until(lambda: views(shop) == 100, worker.log)
        assert await remove_before(kafka, {place: 60}) == ""  # what was read already
        await view(kafka, range(100, 120))
        until(lambda: views(shop) == 120, worker.log)
        until(lambda: first_seen(shop, kafka) == 60, worker.log)
        assert resets(worker) == (0, 0)
    assert await remove_before(kafka, {place: 120}) == ""  # all that was read, while nobody reads
    with running_worker(environ, tmp_path / "second.log") as worker:
        await view(kafka, range(120, 150))
        until(lambda: views(shop) == 150, worker.log)
        until(lambda: first_seen(shop, kafka) == 120, worker.log)
        assert resets(worker) == (0, 0)
    await view(kafka, range(150, 250))
    assert await remove_before(kafka, {place: 190}) == ""  # what nobody had read
    assert any("Kafka removed 40 records" in each.detail for each in await check_lag(kafka))
    with running_worker(environ, tmp_path / "third.log") as worker:
        until(lambda: views(shop) == 210, worker.log)
        until(lambda: resets(worker) == (1, 40), worker.log)
        until(lambda: worker.read().lag == 0, worker.log)


async def test_a_compacted_catalogue_is_read_over_its_gaps(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, read_topic: ReadTopic, tmp_path: Path
) -> None:
    settings = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.001", "segment.ms": "100"}
    await make_topics(kafka, {"items": 1}, **settings, **{"max.compaction.lag.ms": "100"})
    topic, environ = f"{kafka.topic_prefix}items", environment(kafka, redis_settings)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for row in range(ROUNDS):
            for number in range(ITEMS):
                item = {"item_id": f"i{number}", "title": f"Mug {number} of round {row}"}
                await producer.send(topic, orjson.dumps(item), f"i{number}".encode())
            await producer.flush()
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as later:
            deadline = time.monotonic() + 60
            while len(left := await read_topic(topic)) > 2 * ITEMS:  # the newest segment stays as it is
                assert time.monotonic() < deadline, len(left)
                await later.send_and_wait(topic, b'{"item_id": "roller", "title": "Roller"}', b"roller")
    offsets = [record.offset for record in left]
    assert offsets[-1] - offsets[0] + 1 > len(offsets), "there are gaps"
    for log in ("first.log", "second.log"):  # at the start, and from the offset that was committed
        with running_worker(environ, tmp_path / log) as worker:
            until(lambda: titled(shop, f"Mug {ITEMS - 1} of round {ROUNDS - 1}", ITEMS - 1), worker.log)
            assert all(titled(shop, f"Mug {number} of round {ROUNDS - 1}", number) for number in range(ITEMS))
            until(lambda: worker.read().lag == 0, worker.log)
            assert resets(worker) == (0, 0)


def titled(shop: Shop, title: str, number: int) -> bool:
    return shop.redis.hget(shop.keys.item(f"i{number}"), "title") == title.encode()


async def test_the_brokers_time_counts_and_not_the_producers(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, read_topic: ReadTopic, tmp_path: Path
) -> None:
    await create_topics(kafka)
    tomorrow = time.time() + 86_400
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await view(kafka, range(5), timestamp_ms=1_000)  # a clock that begins in 1970
        until(lambda: views(shop) == 5, worker.log)
        # An event of tomorrow is none of today, though its record's time says so.
        await view(kafka, range(5, 6), ts=tomorrow, timestamp_ms=int(tomorrow * 1000))
        until(lambda: worker.metric("headrace_rejected_total", reason="from_the_future") == 1, worker.log)
        assert worker.metric("headrace_rejected_total") == 1
    times = [record.timestamp / 1000 for record in await read_topic(f"{kafka.topic_prefix}views")]
    assert all(abs(each - time.time()) < 300 for each in times)

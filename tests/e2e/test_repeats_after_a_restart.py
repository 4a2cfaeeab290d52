"""Events that come a second time, and a worker that has to know it from the log: they count
once.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka_lines import PRODUCE, kafka_line
from shops import Shop
from workers import environment, killed_worker, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics

DAY = 86_400
WEEK = 7 * DAY
MEMORY = 8_000
# Interactions of a week: a twentieth of them in partition 0. The last day has 2,100, the memory's
# sure half 4,000.
SIZES = (700, 14_000)

Sent = tuple[str, int, bytes, float]


def interaction(partition: int, number: int, now: float) -> Sent:
    at = now - WEEK + WEEK * number / SIZES[partition] - 5
    value = {"kind": "view", "source": f"views-{partition}@1", "offset": number}
    return "interactions", partition, orjson.dumps(event(partition, number, at) | value), at


def repeat(partition: int, number: int, now: float) -> Sent:
    at = now - WEEK + WEEK * number / SIZES[partition] - 5
    return "views", partition, orjson.dumps(event(partition, number, at)), at


def event(partition: int, number: int, at: float) -> dict[str, object]:
    return {"event_id": f"p{partition}-{number}", "user_id": f"u{partition}", "item_id": f"i{number % 300}"} | {
        "ts": at,
        "session_id": f"s{partition}-{number // 5}",
    }


async def send(kafka: KafkaSettings, records: Iterable[Sent]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for topic, partition, value, at in records:
            await producer.send(
                f"{kafka.topic_prefix}{topic}", value, b"u%d" % partition, partition, timestamp_ms=int(at * 1000)
            )


async def test_repeats_of_the_last_day_are_known_after_a_restart_though_one_partition_is_much_larger(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    kafka, now = replace(kafka, partitions=2), time.time()
    await create_topics(kafka)
    log = [interaction(partition, number, now) for partition in (0, 1) for number in range(SIZES[partition])]
    await send(kafka, sorted(log, key=lambda record: record[3]))
    environ = environment(kafka, redis_settings, HEADRACE_EVENTS_DUPLICATE_MEMORY=str(MEMORY))
    with running_worker(environ, tmp_path / "worker.log") as worker:
        again = [repeat(partition, size - 1 - back, now) for partition, size in enumerate(SIZES) for back in range(50)]
        await send(kafka, again)
        worker.until_events(len(again))
        assert worker.metric("headrace_events_total", outcome="duplicate") == len(again)


async def test_an_id_on_two_topics_counts_once_though_the_worker_was_killed_between_redis_and_kafka(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    with kafka_line(tmp_path) as line:
        behind = replace(kafka, bootstrap=f"127.0.0.1:{line.port}", partitions=1)
        await create_topics(behind)
        now = time.time()
        await send(behind, [("views", 0, orjson.dumps(event(0, 1, now)), now)])
        line.kills_all_at = PRODUCE
        environ = environment(behind, redis_settings)
        profile = f"{redis_settings.prefix}profile:{{u0}}"
        with killed_worker(environ, tmp_path / "killed.log"):
            until(lambda: shop.redis.exists(profile) == 1, tmp_path / "killed.log")
        line.kills_all_at = None
        await send(behind, [("clicks", 0, orjson.dumps(event(0, 1, now)), now)])
        with running_worker(environ, tmp_path / "again.log") as worker:
            worker.until_events(2)
            assert worker.metric("headrace_events_total", kind="view", outcome="accepted") == 1
            assert worker.metric("headrace_events_total", kind="click", outcome="duplicate") == 1
        counts = orjson.loads(shop.redis.hget(profile, "counts"))  # type: ignore[arg-type]  # redis-py: or awaitable
        assert (round(counts["view"]), round(counts["click"])) == (1, 0)

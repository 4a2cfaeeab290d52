"""Events that come a second time, and a worker that has to know it from the log: they count
once.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import environment, running_worker

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

"""Producers that put one user's events into two partitions, and two workers that share the
partitions.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from shops import Shop
from workers import RunningWorker, doctor, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics

USERS, EVENTS = 20, 1_000


async def send_apart(kafka: KafkaSettings) -> None:
    """Views of every user in partition 0, clicks in partition 1."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in range(EVENTS):
            user = f"u{number % USERS}"
            topic, partition = ("views", 0) if number // USERS % 2 else ("clicks", 1)
            value = {"event_id": f"e{number}", "user_id": user, "item_id": f"i{number % 37}", "ts": time.time()}
            await producer.send(f"{kafka.topic_prefix}{topic}", orjson.dumps(value), user.encode(), partition)


@contextmanager
def two_workers(environ: dict[str, str], folder: Path) -> Iterator[list[RunningWorker]]:
    with (
        running_worker(environ, folder / "a.log") as one,
        running_worker(environ, folder / "b.log") as other,
    ):
        until(lambda: all(worker.read().partitions for worker in (one, other)))
        yield [one, other]


def counted(shop: Shop, prefix: str) -> list[int]:
    """What each user's profile counts."""
    found = []
    for key in shop.redis.scan_iter(f"{prefix}profile:*"):
        counts = orjson.loads(shop.redis.hget(key, "counts"))  # type: ignore[arg-type]  # redis-py: or awaitable
        found.append(round(counts["view"] + counts["click"]))
    return found


async def test_events_of_a_user_in_two_partitions_count_once_each(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    kafka = replace(kafka, partitions=2)
    await create_topics(kafka)
    environ = environment(kafka, redis_settings)
    with two_workers(environ, tmp_path) as workers:
        await send_apart(kafka)
        until(lambda: sum(worker.read().events for worker in workers) >= EVENTS, tmp_path / "a.log")
        assert sum(worker.metric("headrace_events_total", outcome="accepted") for worker in workers) == EVENTS
        assert sum(worker.metric("headrace_foreign_key_total", outcome="moved") for worker in workers) > 0
    assert counted(shop, redis_settings.prefix) == [EVENTS // USERS] * USERS
    report = doctor(environ)
    assert "lie in another partition than murmur2 gives their users; these are moved" in report["keys"]


async def test_events_elsewhere_are_refused_where_the_setting_says_so(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    kafka = replace(kafka, partitions=2)
    await create_topics(kafka)
    environ = environment(kafka, redis_settings, HEADRACE_KAFKA_MISPLACED="refuse")
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send_apart(kafka)
        worker.until_events(EVENTS)
        refused = worker.metric("headrace_rejected_total", reason="foreign_key")
        assert refused == worker.metric("headrace_foreign_key_total", outcome="refused")
        assert 0 < refused < EVENTS
        assert worker.metric("headrace_events_total", outcome="accepted") == EVENTS - refused
    assert sum(counted(shop, redis_settings.prefix)) == EVENTS - refused

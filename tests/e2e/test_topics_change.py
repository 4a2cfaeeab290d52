"""Topics that are deleted and made again while a worker reads them."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types
from apache_kafka import ON_APACHE_KAFKA
from shops import Shop
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics

EVENTS = 100


async def send(kafka: KafkaSettings, first: int, count: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in range(first, first + count):
            value = {"event_id": f"e{number}", "user_id": "ada", "item_id": f"i{number % 50}", "ts": time.time()}
            await producer.send(f"{kafka.topic_prefix}views", orjson.dumps(value), b"ada", 0)


async def make_again(kafka: KafkaSettings, *names: str) -> None:
    full = [kafka.topic_prefix + name for name in names]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(full)
        made = await admin.create_topics([NewTopic(name, 1, 1) for name in full])
        assert all(error[1] == 0 for error in made.topic_errors)
    finally:
        await admin.close()


def views(shop: Shop, prefix: str) -> int:
    counts = shop.redis.hget(f"{prefix}profile:{{ada}}", "counts")
    return round(orjson.loads(counts)["view"]) if counts else 0


# With more events, reading goes on in the middle of the new log; with fewer, behind its end.
@pytest.mark.parametrize("count", [3 * EVENTS, EVENTS // 2])
async def test_every_event_of_a_topic_made_again_under_a_worker_counts_once(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path, count: int
) -> None:
    kafka = replace(kafka, partitions=1)
    await create_topics(kafka)
    prefix = redis_settings.prefix
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await send(kafka, 0, EVENTS)
        until(lambda: views(shop, prefix) == EVENTS, worker.log)
        # A log is known once its beginning was seen, which the worker looks for every 5 s.
        await asyncio.to_thread(until, lambda: shop.redis.exists(f"{prefix}start:{{{kafka.topic_prefix}views-0}}") == 1)
        await make_again(kafka, "views")
        await send(kafka, 1_000, count)
        until(lambda: views(shop, prefix) == EVENTS + count, worker.log)
        # Apache Kafka forgets the group's offset together with the topic.
        if not ON_APACHE_KAFKA:
            assert worker.metric("headrace_offset_resets_total", reason="made_again") == 1
            assert "the topic was made again" in worker.log.read_text()
        until(lambda: worker.read().lag == 0, worker.log)


async def test_a_topic_made_again_just_before_a_kill_is_noticed_by_that_worker_or_the_next(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    kafka = replace(kafka, partitions=1)
    await create_topics(kafka)
    prefix = redis_settings.prefix
    environ = environment(kafka, redis_settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send(kafka, 0, EVENTS)
        # What was not read yet would be deleted with the topic.
        until(lambda: views(shop, prefix) == EVENTS, worker.log)
        until(lambda: shop.redis.exists(f"{prefix}start:{{{kafka.topic_prefix}views-0}}") == 1, worker.log)
        await make_again(kafka, "views")
        await send(kafka, 1_000, 3 * EVENTS)
        worker.kill()
    with running_worker(environ, tmp_path / "again.log") as worker:
        until(lambda: views(shop, prefix) == 4 * EVENTS, worker.log)


async def test_a_topic_made_again_while_no_worker_reads_is_counted_whole(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    kafka = replace(kafka, partitions=1)
    await create_topics(kafka)
    prefix = redis_settings.prefix
    environ = environment(kafka, redis_settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send(kafka, 0, EVENTS)
        until(lambda: views(shop, prefix) == EVENTS, worker.log)
    await make_again(kafka, "views")
    await send(kafka, 1_000, 3 * EVENTS)
    with running_worker(environ, tmp_path / "again.log") as worker:
        until(lambda: views(shop, prefix) == 4 * EVENTS, worker.log)


async def test_interactions_made_again_under_a_worker_are_learned_on(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    kafka = replace(kafka, partitions=1)
    await create_topics(kafka)
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await send(kafka, 0, EVENTS)
        worker.until_events(EVENTS)
        await make_again(kafka, "interactions")
        await send(kafka, 1_000, EVENTS // 2)
        worker.until_events(EVENTS + EVENTS // 2)
        until(lambda: worker.metric("headrace_offset_resets_total", reason="made_again") == 1, worker.log)
        assert worker.process.poll() is None

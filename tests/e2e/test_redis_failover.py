"""A worker goes over to the new primary behind its address by itself."""

import time
from dataclasses import replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from redis_pair import two_servers
from workers import environment, is_ready, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys

HEALED_SECONDS = 10.0


async def click(kafka: KafkaSettings, user_id: str, partition: int) -> None:
    event = {"event_id": f"c-{user_id}", "user_id": user_id, "item_id": "mug", "ts": time.time()}
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        topic = f"{kafka.topic_prefix}clicks"
        await producer.send_and_wait(topic, orjson.dumps(event), key=user_id.encode(), partition=partition)


async def test_a_worker_writes_to_the_new_primary_within_seconds_though_the_old_one_keeps_its_connections(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    with two_servers(tmp_path) as pair:
        environ = environment(kafka, replace(redis_settings, url=pair.url))
        keys = Keys(redis_settings.prefix)
        with running_worker(environ, tmp_path / "worker.log") as worker:
            await click(kafka, "mira", partition=0)
            # Wait until all batched writes are done: the first refusal is then that of a plain
            # call, jon's source.
            told = (keys.recommendation("mira"), keys.trending(), keys.recent_users())
            until(lambda: pair.first.exists(*told) == len(told), worker.log)
            pair.fail_over()
            await click(kafka, "jon", partition=1)
            until(lambda: bool(pair.second.exists(keys.recommendation("jon"))), worker.log, HEALED_SECONDS)
            assert worker.metric("headrace_retries_total", dependency="Redis") <= 2
            await click(kafka, "eva", partition=0)
            until(lambda: bool(pair.second.exists(keys.recommendation("eva"))), worker.log, HEALED_SECONDS)
            until(lambda: is_ready(worker.url), worker.log, HEALED_SECONDS)
            assert pair.second.exists(*(keys.profile(user) for user in ("mira", "jon", "eva"))) == 3

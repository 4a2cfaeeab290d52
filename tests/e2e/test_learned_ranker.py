"""Workers that learn to rank: lists by learned weights, which are published and outlive them."""

import subprocess
import time
from pathlib import Path

import orjson
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings

START = time.time() - 3_600
USERS, STEPS = 60, 5


async def send(kafka: KafkaSettings, first: int) -> None:
    """Users who each go from an item to the next ones."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    for user in range(first, first + USERS):
        for step in range(STEPS):
            view = {"event_id": f"{user}-{step}", "user_id": f"u{user}", "item_id": f"i{(user + step) % 30}"}
            content = orjson.dumps(view | {"ts": START + STEPS * user + step})
            await producer.send(kafka.topic_prefix + "views", content, key=f"u{user}".encode())
    await producer.stop()


def model_of(store: "redis.Redis", settings: RedisSettings, user: int) -> str:
    raw = store.get(f"{settings.prefix}rec:{{u{user}}}")
    return str(orjson.loads(raw)["model"]) if isinstance(raw, bytes) else ""


async def test_weights_are_learned_published_and_used_by_the_next_worker(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    environ = environment(kafka, redis_settings, HEADRACE_RANKER_MODE="learned", HEADRACE_RANKER_SHARE="0.9")
    store = redis.Redis.from_url(redis_settings.url)
    log = tmp_path / "worker.log"
    sent = 0
    with running_worker(environ, log) as first:
        while first.metric("headrace_ranker_learned_lists") < 60:
            await send(kafka, sent)
            sent += USERS
            first.until_events(STEPS * sent)
            published = first.metric("headrace_ranker_lists_total")
            until(lambda: first.metric("headrace_ranker_learned_lists") >= min(published, 60), log)  # noqa: B023  # called at once
        await send(kafka, sent)
        sent += USERS
        first.until_events(STEPS * sent)
        until(lambda: model_of(store, redis_settings, sent - 1).startswith("ranker-"), log)
        first.kill()
    shown = subprocess.run([HEADRACE, "ranker", "show", "--json"], env=environ, capture_output=True, check=True)
    weights = orjson.loads(shown.stdout)
    assert weights["lists"] >= 60
    assert weights["fits"]
    with running_worker(environ, tmp_path / "second.log") as second:
        assert second.metric("headrace_ranker_version") == weights["version"]
        assert second.metric("headrace_ranker_learned_lists") == weights["lists"]
        await send(kafka, sent)
        until(lambda: model_of(store, redis_settings, sent + USERS - 1).startswith("ranker-"), tmp_path / "second.log")

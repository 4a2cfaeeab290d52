"""What a newer version stored ends a process with words, and is left as it is."""

import subprocess
from pathlib import Path

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys
from models.contract.formats import LIST, PROFILE, Format


def tells(kind: Format) -> str:
    return (
        f"{kind.name} are stored in format {kind.version + 1}, and this version of Headrace reads up to {kind.version}"
    )


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_redis_of_a_newer_version_ends_the_command_with_advice(
    kafka: KafkaSettings, redis_settings: RedisSettings, command: str
) -> None:
    store, keys = redis.Redis.from_url(redis_settings.url), Keys(redis_settings.prefix)
    store.hset(keys.formats(), "lists", "2")
    environ = environment(kafka, redis_settings, HEADRACE_SERVE_PORT="0")
    done = subprocess.run([HEADRACE, command], env=environ, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1, done.stderr
    assert tells(LIST) in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert store.hgetall(keys.formats()) == {b"lists": b"2"}


async def test_a_profile_of_a_newer_version_ends_the_worker_and_stays(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    store, keys = redis.Redis.from_url(redis_settings.url), Keys(redis_settings.prefix)
    stored = {b"recent": b"[]", b"state": bytes([PROFILE.version + 1, 0])}
    store.hset(keys.profile("ada"), mapping=stored)  # type: ignore[arg-type]  # bytes are allowed
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        event = {"event_id": "e", "user_id": "ada", "item_id": "pan", "ts": 1_760_000_000}
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            await producer.send_and_wait(f"{kafka.topic_prefix}views", orjson.dumps(event), key=b"ada")
        until(lambda: worker.process.poll() is not None, worker.log)
    assert worker.process.returncode == 1
    assert tells(PROFILE) in worker.log.read_text().splitlines()[-1]
    assert store.hgetall(keys.profile("ada")) == stored

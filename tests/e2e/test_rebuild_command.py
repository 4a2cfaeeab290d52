"""Profiles come back from the log: by a command, and by a worker whose Redis lost its data."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import SOURCES, create_topics
from app.local.servers import embedded_redis
from app.store.keys import Keys

USERS, EVENTS = 150, 900
START = time.time() - 3_600
Profiles = dict[bytes, dict[bytes, bytes]]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisSettings]:
    """A server of this test alone, because it is emptied."""
    with embedded_redis(tmp_path / "redis") as url:
        yield RedisSettings(url=url, prefix=f"test-{uuid4().hex}:", timeout_seconds=2.0)


def run(command: str, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, command, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
    )


async def send(kafka: KafkaSettings, numbers: range) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=20) as producer:
        for number in numbers:
            user = f"u{number % USERS}"
            event: dict[str, object] = {"event_id": f"e{number}", "user_id": user, "item_id": f"i{number % 37}"}
            event |= {"ts": START + number * 1.2345} | ({"session_id": f"s{user}"} if number % 2 else {})
            topic = SOURCES[(number + number // USERS) % len(SOURCES)]
            await producer.send(kafka.topic_prefix + topic, orjson.dumps(event), user.encode())


def stored(store: "redis.Redis", settings: RedisSettings) -> Profiles:
    """All profiles without their revisions."""
    found: Profiles = {}
    for key in store.scan_iter(f"{settings.prefix}profile:*"):
        fields = store.hgetall(key)
        assert isinstance(fields, dict)  # redis-py declares the asynchronous client's answer too
        found[key] = {name: value for name, value in fields.items() if name != b"revision"}  # type: ignore[misc]  # redis-py: or texts
    return found


def are_whole(store: "redis.Redis", kafka: KafkaSettings, settings: RedisSettings) -> bool:
    """Whether Redis says that the profiles of all partitions are whole."""
    keys = Keys(settings.prefix)
    places = [f"{kafka.topic_prefix}interactions-{number}" for number in range(kafka.partitions)]
    return all(store.get(keys.catalogue(place)) == b"whole" for place in places)


async def test_the_command_makes_lost_and_wrong_profiles_again_beside_a_worker(
    kafka: KafkaSettings, own_redis: RedisSettings, tmp_path: Path
) -> None:
    store, keys = redis.Redis.from_url(own_redis.url), Keys(own_redis.prefix)
    await create_topics(kafka)
    environ = environment(kafka, own_redis)
    await send(kafka, range(EVENTS))
    with running_worker(environ, tmp_path / "worker.log") as worker:
        worker.until_events(EVENTS)
        assert are_whole(store, kafka, own_redis)
        until(lambda: len(stored(store, own_redis)) == USERS, worker.log)
        before = stored(store, own_redis)
        store.hset(keys.profile("u4"), "recent", b"[]")  # the worker has the right one in memory
        store.delete(keys.profile("u5"))

        one = run("rebuild", environ, "--user", "u4", "--json")
        assert one.returncode == 0, one.stdout + one.stderr
        found = json.loads(one.stdout)
        assert (found["users"], found["written"], found["same"]) == (1, 1, 0)
        everybody = run("rebuild", environ, "--all")
        assert everybody.returncode == 0, everybody.stdout + everybody.stderr
        assert everybody.stdout.splitlines()[1].split() == ["1", "profiles", "written"]
        assert stored(store, own_redis) == before

        await send(kafka, range(EVENTS, EVENTS + USERS))
        worker.until_events(EVENTS + USERS)
        audit = run("audit", environ, "--all")
        assert audit.returncode == 0, audit.stdout
        assert worker.metric("headrace_rebuilt_profiles_total") == 0
    assert "may have lost profiles" not in (tmp_path / "worker.log").read_text()
    nobody = run("rebuild", environ, "--user", "nobody")
    assert nobody.returncode == 1
    assert "the topic interactions has nothing of nobody" in nobody.stderr


async def test_a_worker_whose_redis_was_emptied_makes_all_profiles_again(
    kafka: KafkaSettings, own_redis: RedisSettings, tmp_path: Path
) -> None:
    store = redis.Redis.from_url(own_redis.url)
    await create_topics(kafka)
    # The smallest memory: most users are not in it.
    environ = environment(kafka, own_redis, HEADRACE_WORKER_PROFILE_CACHE="100")
    with running_worker(environ, tmp_path / "first.log") as worker:
        await send(kafka, range(EVENTS))
        worker.until_events(EVENTS)
        until(lambda: len(stored(store, own_redis)) == USERS, worker.log)
        before = stored(store, own_redis)
        assert worker.metric("headrace_rebuilt_profiles_total") == 0
        store.flushall()
        await send(kafka, range(EVENTS, EVENTS + 10))  # these users come before the rebuild, or after it
        until(lambda: len(stored(store, own_redis)) == USERS, worker.log)
        worker.until_events(EVENTS + 10)
        until(lambda: run("audit", environ, "--all").returncode == 0, worker.log)
        after = stored(store, own_redis)
        untouched = {key for key in before if not any(key.endswith(b"{u%d}" % user) for user in range(10))}
        assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}
        assert worker.metric("headrace_rebuilt_profiles_total") > 0
    store.flushall()
    with running_worker(environ, tmp_path / "second.log") as worker:
        until(lambda: stored(store, own_redis) == after, worker.log)
        until(lambda: are_whole(store, kafka, own_redis), worker.log)
    with running_worker(environ, tmp_path / "third.log") as worker:
        assert run("audit", environ, "--all").returncode == 0
        assert worker.metric("headrace_rebuilt_profiles_total") == 0
    assert "may have lost profiles" not in (tmp_path / "third.log").read_text()


def test_help_has_examples_and_a_user_must_be_named() -> None:
    helped = run("rebuild", {}, "--help")
    assert helped.returncode == 0
    assert "headrace rebuild --user u17" in helped.stdout
    assert run("rebuild", {}).returncode == 2

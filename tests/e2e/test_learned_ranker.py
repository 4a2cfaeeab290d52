"""Workers that learn to rank: lists by learned weights, which are published and outlive them."""

import subprocess
import time
from pathlib import Path
from typing import Any

import orjson
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import HEADRACE, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings

START = time.time() - 3_600
USERS, STEPS, ITEMS = 60, 5, 30
# First items of lists of users who did the same; what others do in between moves those after them.
ALIKE = 3


async def send(kafka: KafkaSettings, first: int) -> None:
    """Users who each go from an item to the next ones."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    for user in range(first, first + USERS):
        for step in range(STEPS):
            view = {"event_id": f"{user}-{step}", "user_id": f"u{user}", "item_id": f"i{(user + step) % ITEMS}"}
            content = orjson.dumps(view | {"ts": START + STEPS * user + step})
            await producer.send(kafka.topic_prefix + "views", content, key=f"u{user}".encode())
    await producer.stop()


def list_of(store: "redis.Redis", settings: RedisSettings, user: int) -> dict[str, Any]:
    raw = store.get(f"{settings.prefix}rec:{{u{user}}}")
    found: dict[str, Any] = orjson.loads(raw) if isinstance(raw, bytes) else {"model": "", "items": []}
    return found


def model_of(store: "redis.Redis", settings: RedisSettings, user: int) -> str:
    return str(list_of(store, settings, user)["model"])


def headrace(environ: dict[str, str], *arguments: str) -> dict[str, Any]:
    done = subprocess.run([HEADRACE, "ranker", *arguments, "--json"], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = orjson.loads(done.stdout)
    return said


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
        learned = first.metric("headrace_ranker_lists_total")
        await send(kafka, sent)
        sent += USERS
        until(lambda: first.metric("headrace_ranker_lists_total") > learned, log)
        first.kill()  # while it learns
    weights = headrace(environ, "show")
    assert weights["lists"] >= 60
    assert weights["fits"]
    with running_worker(environ, tmp_path / "second.log") as second:
        assert second.metric("headrace_ranker_version") == weights["version"]
        assert second.metric("headrace_ranker_learned_lists") == weights["lists"]
        assert second.metric("headrace_ranker_loss", ranker="linear") == int(weights["rankers"]["linear"]["loss"])
        await send(kafka, sent)
        until(lambda: model_of(store, redis_settings, sent + USERS - 1).startswith("ranker-"), tmp_path / "second.log")
        events = second.read().events
        while second.metric("headrace_ranker_learned_lists") <= weights["lists"]:
            assert sent < 100 * USERS, "it does not learn on"
            sent += USERS
            await send(kafka, sent)
            events = second.until_events(events + 1).events
        assert headrace(environ, "show")["newest"] > weights["version"]


async def test_two_workers_rank_alike_by_the_version_that_is_pinned(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    environ = environment(kafka, redis_settings, HEADRACE_RANKER_MODE="learned", HEADRACE_RANKER_SHARE="0.9")
    store = redis.Redis.from_url(redis_settings.url)
    logs = [tmp_path / f"{name}.log" for name in ("first", "second")]
    sent = 0

    async def send_all() -> list[int]:
        """A round of new users, once both workers have learned it; how many events each had."""
        nonlocal sent
        before = [each.read().events for each in workers]
        await send(kafka, sent)
        sent += USERS
        for each, log in zip(workers, logs, strict=True):
            until(lambda: each.metric("headrace_learned_total", outcome="learned") >= STEPS * sent, log)  # noqa: B023  # called at once
        return [each.read().events - events for each, events in zip(workers, before, strict=True)]

    def all_have(name: str, value: int) -> None:
        for each, log in zip(workers, logs, strict=True):
            until(lambda: each.metric(name) == value, log)  # noqa: B023  # called at once

    with running_worker(environ, logs[0]) as first, running_worker(environ, logs[1]) as second:
        workers = (first, second)
        while min(await send_all()) == 0 or min(each.metric("headrace_ranker_learned_lists") for each in workers) < 60:
            assert sent < 100 * USERS, "no worker learns"
        version = headrace(environ, "show")["version"]
        headrace(environ, "pin", str(version))
        all_have("headrace_ranker_pinned", 1)
        all_have("headrace_ranker_version", version)

        made = await send_all()
        assert min(made) > STEPS
        new = range(sent - USERS, sent)
        until(lambda: {model_of(store, redis_settings, user) for user in new} == {f"ranker-{version}"}, logs[0])
        by_start: dict[int, set[tuple[str, ...]]] = {}
        for user in new:
            items = tuple(each["item_id"] for each in list_of(store, redis_settings, user)["items"][:ALIKE])
            by_start.setdefault(user % ITEMS, set()).add(items)
        assert {start: len(lists) for start, lists in by_start.items()} == dict.fromkeys(range(ITEMS), 1)

        back = headrace(environ, "rollback")
        headrace(environ, "pin", "--release")
        all_have("headrace_ranker_pinned", 0)
        for each, log in zip(workers, logs, strict=True):
            until(lambda: each.metric("headrace_ranker_version") >= back["version"], log)  # noqa: B023  # called at once
        assert headrace(environ, "show")["generation"] == 1

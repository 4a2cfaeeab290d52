"""A worker whose Redis is named by Sentinels: the primary fails under load, and nothing is lost."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from redis_secured import QUOTED, USER, rights
from redis_sentinels import RedisSentinels, redis_sentinels
from workers import doctor, environment, is_ready, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys
from app.store.lookup import Lookups
from headrace import Headrace

USERS, EVENTS_A_USER = 400, 50
KILLED_AFTER = 4_000
FRESH_SECONDS = 15.0
RECENT = 30
NOW = time.time()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[RedisSentinels]:
    with redis_sentinels(tmp_path / "sentinels") as running:
        yield running


async def view(kafka: KafkaSettings, events: list[tuple[str, str, float]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=5) as producer:
        for user, item_id, ts in events:
            event = {"event_id": f"{user}-{item_id}", "user_id": user, "item_id": item_id, "ts": ts}
            await producer.send(f"{kafka.topic_prefix}views", orjson.dumps(event), key=user.encode())


async def test_no_event_is_lost_when_the_primary_fails_under_load(
    kafka: KafkaSettings, redis_settings: RedisSettings, watched: RedisSentinels, tmp_path: Path
) -> None:
    needed = [*rights(redis_settings.prefix, vectors=True), "+wait"]
    url = watched.url_of(USER, QUOTED, needed, sentinel_password="open")
    settings, keys = replace(redis_settings, url=url), Keys(redis_settings.prefix)
    users = [f"u{number}" for number in range(USERS)]
    events = [(user, f"i{row}", NOW - 1_000 + row) for row in range(EVENTS_A_USER) for user in users]
    first = watched.primary()
    environ = environment(kafka, settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        assert doctor(environ)["redis sentinel"].startswith("3 of 3 Sentinels answer")
        await view(kafka, events)
        worker.until_events(KILLED_AFTER)
        first.kill()
        # One of the Sentinels is gone with its machine.
        watched.sentinels[0].kill()
        killed = time.monotonic()
        assert worker.read().events < len(events)
        await view(kafka, [("u7", "last", NOW)])
        until(lambda: newest(watched, keys.recommendation("u7")) == NOW, worker.log)
        fresh = time.monotonic() - killed
        worker.until_events(len(events) + 1)
        until(lambda: is_ready(worker.url), worker.log)
    assert watched.primary() is not first
    assert fresh < FRESH_SECONDS
    lookups = Lookups.connect(settings, recall_seconds=0)
    try:
        for user in users:
            last = [f"i{row}" for row in range(EVENTS_A_USER)] + ["last"] * (user == "u7")
            found = await lookups.profile(user)
            assert found is not None, user
            assert [each.item_id for each in found.recent] == last[: -RECENT - 1 : -1], user
            assert round(found.counts["view"]) == len(last), user
    finally:
        await lookups.close()
    with Headrace(url, prefix=settings.prefix) as headrace:
        assert headrace.recommendations_of(users, k=5).keys() == set(users)
    assert watched.refused() == []


def newest(watched: RedisSentinels, key: str) -> float | None:
    """The event time of a list, as far as the primary answers."""
    stored = watched.get(key)
    return orjson.loads(stored)["event_ts"] if stored else None

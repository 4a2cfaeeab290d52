"""A worker whose Redis is named by Sentinels: the primary fails under load, and nothing is lost."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from failing_redis import EVENTS, KILLED_AFTER, NOW, assert_nothing_lost, view
from redis_secured import QUOTED, USER, rights
from redis_sentinels import RedisSentinels, redis_sentinels
from workers import doctor, environment, is_ready, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys

FRESH_SECONDS = 15.0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[RedisSentinels]:
    with redis_sentinels(tmp_path / "sentinels") as running:
        yield running


async def test_no_event_is_lost_when_the_primary_fails_under_load(
    kafka: KafkaSettings, redis_settings: RedisSettings, watched: RedisSentinels, tmp_path: Path
) -> None:
    needed = [*rights(redis_settings.prefix, vectors=True), "+wait"]
    url = watched.url_of(USER, QUOTED, needed, sentinel_password="open")
    settings, keys = replace(redis_settings, url=url), Keys(redis_settings.prefix)
    first = watched.primary()
    environ = environment(kafka, settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        assert doctor(environ)["redis sentinel"].startswith("3 of 3 Sentinels answer")
        await view(kafka, EVENTS)
        worker.until_events(KILLED_AFTER)
        first.kill()
        # One of the Sentinels is gone with its machine.
        watched.sentinels[0].kill()
        killed = time.monotonic()
        assert worker.read().events < len(EVENTS)
        await view(kafka, [("u7", "last", NOW)])
        until(lambda: newest(watched, keys.recommendation("u7")) == NOW, worker.log)
        fresh = time.monotonic() - killed
        worker.until_events(len(EVENTS) + 1)
        until(lambda: is_ready(worker.url), worker.log)
    assert watched.primary() is not first
    assert fresh < FRESH_SECONDS
    await assert_nothing_lost(settings, "u7")
    assert watched.refused() == []


def newest(watched: RedisSentinels, key: str) -> float | None:
    """The event time of a list, as far as the primary answers."""
    stored = watched.get(key)
    return orjson.loads(stored)["event_ts"] if stored else None

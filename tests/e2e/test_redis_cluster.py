"""A worker on a Redis Cluster: a primary fails while events come in, and nothing is lost."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from failing_redis import EVENTS, KILLED_AFTER, NOW, USERS, assert_nothing_lost, view
from redis.exceptions import RedisError
from redis_cluster import RedisCluster, redis_cluster
from redis_secured import QUOTED, USER, rights
from workers import doctor, environment, is_ready, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys

FRESH_SECONDS = 10.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path / "cluster") as running:
        yield running


async def test_no_event_is_lost_when_a_primary_fails_under_load(
    kafka: KafkaSettings, redis_settings: RedisSettings, cluster: RedisCluster, tmp_path: Path
) -> None:
    url = cluster.url_of(USER, QUOTED, rights(redis_settings.prefix, vectors=True, cluster=True))
    settings, keys = replace(redis_settings, url=url), Keys(redis_settings.prefix)
    # Not the first node: its address is the one that everybody was given.
    lost = cluster.nodes[1]
    struck = next(user for user in USERS if cluster.owner(keys.profile(user)) is lost)
    environ = environment(kafka, settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await view(kafka, EVENTS)
        worker.until_events(KILLED_AFTER)
        cluster.kill(lost)
        killed = time.monotonic()
        assert worker.read().events < len(EVENTS)
        await view(kafka, [(struck, "last", NOW)])
        until(lambda: newest(cluster, keys.recommendation(struck)) == NOW, worker.log)
        fresh = time.monotonic() - killed
        worker.until_events(len(EVENTS) + 1)
        assert doctor(environ)["redis mode"] == "a cluster of 3 primaries, 2 of them with a replica"
        until(lambda: is_ready(worker.url), worker.log)
    assert fresh < FRESH_SECONDS
    await assert_nothing_lost(settings, struck)
    assert cluster.refused() == []


def newest(cluster: RedisCluster, key: str) -> float | None:
    """The event time of a list, as far as its node answers."""
    try:
        stored = cluster.get(key)
    except (RedisError, OSError):
        return None
    return orjson.loads(stored)["event_ts"] if stored else None

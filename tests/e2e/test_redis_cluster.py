"""A worker on a Redis Cluster: a primary fails while events come in, and nothing is lost."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from redis.exceptions import RedisError
from redis_cluster import RedisCluster, redis_cluster
from redis_secured import QUOTED, USER, rights
from workers import doctor, environment, is_ready, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys
from app.store.lookup import Lookups
from headrace import Headrace

USERS, EVENTS_A_USER = 400, 50
KILLED_AFTER = 4_000
FRESH_SECONDS = 10.0
RECENT = 30
NOW = time.time()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path / "cluster") as running:
        yield running


async def view(kafka: KafkaSettings, events: list[tuple[str, str, float]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=5) as producer:
        for user, item_id, ts in events:
            event = {"event_id": f"{user}-{item_id}", "user_id": user, "item_id": item_id, "ts": ts}
            await producer.send(f"{kafka.topic_prefix}views", orjson.dumps(event), key=user.encode())


async def test_no_event_is_lost_when_a_primary_fails_under_load(
    kafka: KafkaSettings, redis_settings: RedisSettings, cluster: RedisCluster, tmp_path: Path
) -> None:
    url = cluster.url_of(USER, QUOTED, rights(redis_settings.prefix, vectors=True, cluster=True))
    settings, keys = replace(redis_settings, url=url), Keys(redis_settings.prefix)
    users = [f"u{number}" for number in range(USERS)]
    events = [(user, f"i{row}", NOW - 1_000 + row) for row in range(EVENTS_A_USER) for user in users]
    # Not the first node: its address is the one that everybody was given.
    lost = cluster.nodes[1]
    struck = next(user for user in users if cluster.owner(keys.profile(user)) is lost)
    environ = environment(kafka, settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await view(kafka, events)
        worker.until_events(KILLED_AFTER)
        cluster.kill(lost)
        killed = time.monotonic()
        assert worker.read().events < len(events)
        await view(kafka, [(struck, "last", NOW)])
        until(lambda: newest(cluster, keys.recommendation(struck)) == NOW, worker.log)
        fresh = time.monotonic() - killed
        worker.until_events(len(events) + 1)
        assert doctor(environ)["redis mode"] == "a cluster of 3 primaries, 2 of them with a replica"
        until(lambda: is_ready(worker.url), worker.log)
    assert fresh < FRESH_SECONDS
    lookups = Lookups.connect(settings, recall_seconds=0)
    try:
        for user in users:
            last = [f"i{row}" for row in range(EVENTS_A_USER)] + ["last"] * (user == struck)
            found = await lookups.profile(user)
            assert found is not None, user
            assert [each.item_id for each in found.recent] == last[: -RECENT - 1 : -1], user
            assert round(found.counts["view"]) == len(last), user
        assert (await lookups.recommendations(struck, 5)).stored.event_ts == NOW
    finally:
        await lookups.close()
    with Headrace(url, prefix=settings.prefix) as headrace:
        assert headrace.recommendations_of(users, k=5).keys() == set(users)
    assert cluster.refused() == []


def newest(cluster: RedisCluster, key: str) -> float | None:
    """The event time of a list, as far as its node answers."""
    try:
        stored = cluster.get(key)
    except (RedisError, OSError):
        return None
    return orjson.loads(stored)["event_ts"] if stored else None

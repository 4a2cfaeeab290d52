"""`headrace audit`, `rebuild` and `forget` beside a worker on a Redis Cluster: each finds what lies
on any of its nodes.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from forgetting import EVENTS, GONE, OTHERS, receipt_of, redis_with, run, send
from redis_cluster import PRIMARIES, RedisCluster, redis_cluster
from redis_secured import QUOTED, USER, rights
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics
from app.store.keys import Keys

USERS = [*OTHERS, GONE]
BROKEN = 4


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with redis_cluster(tmp_path / "cluster") as running:
        yield running


async def test_audit_rebuild_and_forget_reach_every_node(
    kafka: KafkaSettings, redis_settings: RedisSettings, cluster: RedisCluster, tmp_path: Path
) -> None:
    url = cluster.url_of(USER, QUOTED, rights(redis_settings.prefix, vectors=True, cluster=True))
    settings, keys = replace(redis_settings, url=url), Keys(redis_settings.prefix)
    on_a_primary = {user: cluster.owner(keys.profile(user)) for user in USERS}
    assert len({node.port for node in on_a_primary.values()}) == PRIMARIES, "the users lie on all primaries"
    await create_topics(kafka)
    environ = environment(kafka, settings)
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send(kafka)
        worker.until_events(EVENTS + BROKEN)
        until(lambda: all(node.client.exists(keys.profile(user)) for user, node in on_a_primary.items()), worker.log)

        same = run("audit", environ, "--all", "--json")
        assert same.returncode == 0, same.stdout + same.stderr
        assert json.loads(same.stdout)["users"] == len(USERS)

        before = {user: profile(cluster, keys, user) for user in OTHERS}
        for user in one_of_each_node(cluster, keys):
            cluster.owner(keys.profile(user)).client.delete(keys.profile(user))
        cluster.owner(keys.profile("u4")).client.hset(keys.profile("u4"), "recent", b"[]")
        missed = run("audit", environ, "--json", "--show-ids")
        found = {each["user_id"]: each["problem"] for each in json.loads(missed.stdout)["differences"]}
        assert found == dict.fromkeys(one_of_each_node(cluster, keys), "missing") | {"u4": "differs"}

        rebuilt = run("rebuild", environ, "--all", "--json")
        assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
        assert json.loads(rebuilt.stdout)["written"] == PRIMARIES + 1
        assert {user: profile(cluster, keys, user) for user in OTHERS} == before

        assert len(left_of(cluster, settings, GONE)) >= 3
        forgotten = receipt_of(run("forget", environ, GONE, "--json", "--no-search"))
        [user] = forgotten["users"]
        assert user["erased"]["profiles"] == user["erased"]["lists"] == 1
        assert left_of(cluster, settings, GONE) == []
        assert all(len(left_of(cluster, settings, user)) >= 2 for user in OTHERS)
        assert run("audit", environ, "--all").returncode == 0
    assert cluster.refused() == []


def one_of_each_node(cluster: RedisCluster, keys: Keys) -> list[str]:
    """The first user of each primary, but never the one whose profile is changed."""
    first: dict[int, str] = {}
    for user in OTHERS:
        if user != "u4":
            first.setdefault(cluster.owner(keys.profile(user)).port, user)
    return list(first.values())


def profile(cluster: RedisCluster, keys: Keys, user: str) -> dict[bytes, bytes]:
    """The profile without its revision."""
    key = keys.profile(user)
    fields = cluster.owner(key).client.hgetall(key)
    assert isinstance(fields, dict)  # redis-py declares the asynchronous client's answer too
    return {name: value for name, value in fields.items() if name != b"revision"}  # type: ignore[misc]  # redis-py: or texts


def left_of(cluster: RedisCluster, settings: RedisSettings, user: str) -> list[object]:
    """The keys of all primaries that hold the user's id."""
    return [key for node in cluster.nodes[:PRIMARIES] for key in redis_with(node.client, settings.prefix, user)]

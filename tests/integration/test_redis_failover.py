"""A failover behind one address: the old primary becomes a replica, and connections stay open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ReadOnlyError
from redis_pair import Pair, two_servers

from app.concerns import RedisSettings
from app.store.connection import connect
from headrace import Headrace
from headrace.errors import StoreAway


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with two_servers(tmp_path) as found:
        yield found


async def test_a_plain_call_that_finds_a_replica_is_the_last_one_there(pair: Pair) -> None:
    async with connect(RedisSettings(url=pair.url)) as redis:
        await redis.set("before", "1")
        pair.fail_over()
        with pytest.raises(ReadOnlyError):
            await redis.set("after", "1")
        await redis.set("after", "1")
    assert pair.second.get("after") == b"1"


async def test_a_pipeline_that_finds_a_replica_is_the_last_one_there(pair: Pair) -> None:
    async with connect(RedisSettings(url=pair.url)) as redis:
        await redis.set("before", "1")
        pair.fail_over()
        for _ in range(2):
            pipeline = redis.pipeline(transaction=False)
            pipeline.get("before")
            pipeline.set("after", "1")
            pipeline.get("before")
            *_, last = await pipeline.execute(raise_on_error=False)
            assert last == b"1"
    assert pair.second.get("after") == b"1"


async def test_all_connections_leave_the_old_primary_not_only_the_one_that_was_refused(pair: Pair) -> None:
    async with connect(RedisSettings(url=pair.url)) as redis:
        await four_connections(redis)
        pair.fail_over()
        with pytest.raises(ReadOnlyError):
            await redis.set("after", "1")
        pair.second.set("where", "second")
        pair.first.replicaof("NO", "ONE")
        pair.first.set("where", "first")
        assert await four_connections(redis) == [b"second"] * 4


async def four_connections(redis: Redis) -> list[object]:
    """Return what four connections read that are taken from the pool at the same time."""
    taken = [await redis.connection_pool.get_connection() for _ in range(4)]  # type: ignore[no-untyped-call]
    found = []
    for each in taken:
        await each.send_command("GET", "where")
        found.append(await each.read_response())
        await redis.connection_pool.release(each)
    return found


def test_the_client_leaves_a_replica_that_lost_its_primary(pair: Pair) -> None:
    with Headrace(pair.url) as headrace:
        assert headrace.recommendations("ada") == []
        pair.first.config_set("replica-serve-stale-data", "no")
        pair.first.replicaof("127.0.0.1", 1)
        pair.promote_second()
        with pytest.raises(StoreAway):
            headrace.recommendations("ada")
        assert headrace.recommendations("ada") == []

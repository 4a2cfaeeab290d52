"""Which of Redis' refusals pass by themselves, on a real server in each of these states."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import ConnectionError, RedisError, ResponseError

from app.local.servers import embedded_redis
from app.store.commands import execute
from app.store.packed import PackedRedis
from app.store.scripts import Script
from headrace.errors import StoreAway, UnreadableAnswer
from headrace.refusals import refuses, translate


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[PackedRedis]:
    """A server of this test alone, because its state is changed."""
    with embedded_redis(tmp_path) as url:
        async with PackedRedis.from_url(url) as connected:
            yield connected


async def refusals(redis: PackedRedis, name: str = "k") -> list[RedisError]:
    """Return what a write to this key raises: alone, in a pipeline and in a script."""
    found = []
    pipeline = redis.pipeline(transaction=False)
    pipeline.hset(name, mapping={"f": "v"})
    script = Script("return redis.call('HSET', KEYS[1], 'f', 'v')", keys=1)
    for call in (
        execute(redis, [("HSET", name, "f", "v")]),
        pipeline.execute(),
        script.run(redis, [script.call(name)]),
    ):
        with pytest.raises(RedisError) as raised:
            await call
        found.append(raised.value)
    return found


async def test_a_key_of_another_type_stays_one(redis: PackedRedis) -> None:
    await redis.set("k", "another program's")
    assert [refuses(error) for error in await refusals(redis)] == [True] * 3


async def test_a_command_that_nobody_knows_stays_unknown(redis: PackedRedis) -> None:
    with pytest.raises(ResponseError) as raised:
        await execute(redis, [("NONSENSE",)])
    assert refuses(raised.value)


async def test_a_right_that_a_user_lacks_is_named_with_where_rights_are_listed(redis: PackedRedis) -> None:
    await redis.exchange(
        [("ACL", "SETUSER", "few", "on", ">sesame", "~*", "+@all", "-hset"), ("AUTH", "few", "sesame")]
    )
    [error, *_] = await redis.exchange([("HSET", "k", "f", "v")])
    assert refuses(error)
    assert "rights that docs/operations.md lists" in str(translate(error))
    assert isinstance(translate(error), UnreadableAnswer)


@pytest.mark.parametrize(
    "text",
    [
        "MOVED 1 127.0.0.1:7001",
        "ASK 1 127.0.0.1:7001",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "CLUSTERDOWN The cluster is down",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "LOADING Redis is loading the dataset in memory",
        "READONLY You can't write against a read only replica.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "NOREPLICAS Not enough good replicas to write.",
    ],
)
def test_what_passes_by_itself_is_an_absence_not_a_fault(text: str) -> None:
    error = BaseParser.parse_error(text)  # type: ignore[no-untyped-call]  # redis-py has no types here
    assert not refuses(error)
    assert isinstance(translate(error), StoreAway)


@pytest.mark.parametrize(
    "text", ["CROSSSLOT Keys in request don't hash to the same slot", "NOPERM this user", "ERR no"]
)
def test_what_stays_is_a_fault(text: str) -> None:
    error = BaseParser.parse_error(text)  # type: ignore[no-untyped-call]  # nor here
    assert refuses(error)
    assert isinstance(translate(error), UnreadableAnswer)


@pytest.mark.parametrize("text", ["WRONGPASS invalid username-password pair", "NOAUTH Authentication required."])
def test_a_refused_login_passes_once_the_password_is_right(text: str) -> None:
    error = BaseParser.parse_error(text)  # type: ignore[no-untyped-call]  # redis-py has no types here
    assert not refuses(error)
    assert isinstance(found := translate(error), StoreAway)
    assert "Are user and password in the address right" in str(found)


async def test_memory_may_be_free_again(redis: PackedRedis) -> None:
    await redis.config_set("maxmemory", 1)
    assert [refuses(error) for error in await refusals(redis)] == [False] * 3


async def test_a_replica_may_become_a_primary(redis: PackedRedis) -> None:
    await redis.replicaof("127.0.0.1", 1)
    assert [refuses(error) for error in await refusals(redis)] == [False] * 3


async def test_a_primary_may_find_its_replicas_again(redis: PackedRedis) -> None:
    await redis.config_set("min-replicas-to-write", 1)
    assert [refuses(error) for error in await refusals(redis)] == [False] * 3


async def test_a_script_may_end(redis: PackedRedis) -> None:
    await redis.config_set("busy-reply-threshold", 1)
    script = asyncio.ensure_future(redis.eval("while true do end", 0))
    async with asyncio.timeout(10):
        while True:
            try:
                await redis.set("other", "v")
            except ResponseError:
                break
    assert [refuses(error) for error in await refusals(redis)] == [False] * 3
    await redis.script_kill()
    with pytest.raises(ResponseError):
        await script


def test_a_disk_may_have_room_again_and_a_line_may_be_mended() -> None:
    assert not refuses(ResponseError("MISCONF Redis is configured to save RDB snapshots, but cannot persist on disk"))
    assert not refuses(ConnectionError("refused"))

"""One suite for the `Members` of memory and of Redis."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from memory_members import MemoryMembers

from agents.members import Members
from app.store.keys import Keys
from app.store.members import RedisMembers
from app.store.packed import PackedRedis


@pytest.fixture
async def on_redis(redis_url: str) -> AsyncIterator[RedisMembers]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield RedisMembers(connected, Keys(f"test-{uuid4().hex}:"))


@pytest.fixture(params=["memory", "redis"])
def members(request: pytest.FixtureRequest, on_redis: RedisMembers) -> Members:
    return on_redis if request.param == "redis" else MemoryMembers()


async def test_the_first_worker_finds_nobody(members: Members) -> None:
    assert await members.announce("a", b"terms") == ([], [])
    assert [each.worker_id for each in await members.living()] == ["a"]


async def test_who_came_first_stays_the_first(members: Members) -> None:
    await members.announce("b", b"terms of b")
    earlier, later = await members.announce("a", b"terms of a")
    assert ([each.worker_id for each in earlier], later) == (["b"], [])
    earlier, later = await members.announce("b", b"terms of b")
    assert (earlier, [each.worker_id for each in later]) == ([], ["a"])
    assert [each.worker_id for each in await members.living()] == ["b", "a"]


async def test_terms_are_told_as_they_were_announced_last(members: Members) -> None:
    await members.announce("a", b"before")
    await members.announce("a", b'{"x": "1 2"}')
    [found] = (await members.announce("b", b"")).earlier
    assert found.terms == b'{"x": "1 2"}'


async def test_each_announcement_is_a_newer_beat(members: Members) -> None:
    await members.announce("a", b"")
    [before] = (await members.announce("b", b"")).earlier
    await members.announce("a", b"")
    [after] = (await members.announce("b", b"")).earlier
    assert after.beat > before.beat


async def test_who_left_is_no_member_and_comes_back_as_the_last(members: Members) -> None:
    await members.announce("a", b"")
    await members.announce("b", b"")
    await members.leave("a")
    assert [each.worker_id for each in await members.living()] == ["b"]
    assert [each.worker_id for each in (await members.announce("a", b"")).earlier] == ["b"]


async def test_whoever_is_silent_for_long_is_gone_and_comes_back_as_the_last(on_redis: RedisMembers) -> None:
    members = RedisMembers(on_redis.redis, on_redis.keys, silent_seconds=0.05)
    await members.announce("a", b"")
    async with asyncio.timeout(5):
        while await members.living():
            await asyncio.sleep(0.01)
    assert await members.announce("b", b"") == ([], [])
    assert [each.worker_id for each in (await members.announce("a", b"")).earlier] == ["b"]


async def test_the_key_goes_with_the_last_worker(on_redis: RedisMembers) -> None:
    members = RedisMembers(on_redis.redis, on_redis.keys, silent_seconds=0.05)
    await members.announce("a", b"")
    async with asyncio.timeout(5):
        while await on_redis.redis.exists(on_redis.keys.members()):
            await asyncio.sleep(0.01)

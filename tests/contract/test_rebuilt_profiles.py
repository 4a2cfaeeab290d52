"""What a rebuild relies on in `RebuiltProfiles`: held by the fake and by Redis alike."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from auditing import MemoryRebuilt

from agents.ports import WriteOutcome
from agents.upkeep_ports import RebuiltProfiles, Replacement
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.profiles import RedisRebuilt
from models.users.revision import REVISION
from models.users.stored import StoredFields

DONE, REFUSED = WriteOutcome.DONE, WriteOutcome.REFUSED


def profile(user_id: str, recent: bytes, supersedes: bytes, revision: bytes, expire: int = 60) -> Replacement:
    fields: StoredFields = {"recent": recent, "state": None}
    return Replacement(user_id, fields, supersedes, revision, expire)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def on_redis(redis: PackedRedis) -> RedisRebuilt:
    return RedisRebuilt(redis, Keys(f"test-{uuid4().hex}:"))


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, on_redis: RedisRebuilt) -> RebuiltProfiles:
    return on_redis if request.param == "redis" else MemoryRebuilt()


async def recents(store: RebuiltProfiles, *users: str) -> list[bytes | None]:
    return [fields.get("recent") for fields in await store.load(users)]


async def test_a_missing_profile_is_written_once(store: RebuiltProfiles) -> None:
    assert await store.replace([profile("u1", b"[1]", b"", b"revision"), profile("é", b"[2]", b"", b"revisio2")]) == [
        DONE,
        DONE,
    ]
    assert await store.replace([profile("u1", b"[3]", b"", b"revisio3")]) == [REFUSED]
    assert await recents(store, "u1", "é", "nobody") == [b"[1]", b"[2]", None]
    assert (await store.load(["u1"]))[0][REVISION] == b"revision"


async def test_a_profile_is_replaced_only_where_it_is_the_one_that_is_superseded(store: RebuiltProfiles) -> None:
    await store.replace([profile("u1", b"[1]", b"", b"revision"), profile("u2", b"[1]", b"", b"revision")])
    outcomes = await store.replace([profile("u1", b"[2]", b"revision", b"next"), profile("u2", b"[2]", b"?", b"next")])
    assert outcomes == [DONE, REFUSED]
    assert await recents(store, "u1", "u2") == [b"[2]", b"[1]"]


async def test_a_removed_profile_is_gone(store: RebuiltProfiles) -> None:
    await store.replace([profile("u1", b"[1]", b"", b"revision"), profile("u2", b"[1]", b"", b"revision")])
    await store.remove(["u1", "nobody"])
    await store.remove([])
    assert await recents(store, "u1", "u2") == [None, b"[1]"]
    assert await store.replace([]) == []


async def test_what_a_replaced_profile_had_besides_is_removed_and_it_expires(
    redis: PackedRedis, on_redis: RedisRebuilt
) -> None:
    key = on_redis.keys.profile("u1")
    await redis.hset(key, mapping={"recent": b"[0]", "bought": b"[]", "vector": b"old"})
    assert await on_redis.replace([profile("u1", b"[1]", b"", b"revision", expire=60)]) == [DONE]
    assert set(await redis.hkeys(key)) == {b"recent", REVISION.encode()}
    assert 0 < await redis.ttl(key) <= 60


async def test_a_write_whose_answer_did_not_come_may_be_repeated(on_redis: RedisRebuilt) -> None:
    again = profile("u1", b"[1]", b"", b"revision")
    assert [await on_redis.replace([again]) for _ in range(2)] == [[DONE]] * 2

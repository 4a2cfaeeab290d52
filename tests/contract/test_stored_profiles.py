"""What an audit relies on in `StoredProfiles`: held by the fake and by Redis alike."""

from collections.abc import AsyncIterator, Mapping
from uuid import uuid4

import pytest
from asking import stored
from auditing import MemoryProfiles
from builders import NOW

from agents.upkeep_ports import StoredProfiles
from app.concerns import RedisSettings
from app.store.connection import HashFields, connect
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.profiles import RedisProfiles
from headrace.errors import StoreAway
from models.contract.events import Kind
from models.profile import Profile, Seen
from models.users.stored import StoredFields

ODD = ["u1", "a{b}c", "back\\slash", "st*r", "[x]?", "two words", "é商"]


def profiles() -> dict[str, StoredFields]:
    """What is stored of users with ordinary and with odd names."""
    return stored({user: Profile(recent=(Seen(NOW, int(Kind.VIEW), f"of {user}"),)) for user in ODD})


async def on_redis(redis: PackedRedis, prefix: str, fields: Mapping[str, StoredFields]) -> RedisProfiles:
    keys = Keys(prefix)
    for user, each in fields.items():
        mapping: HashFields = {name: value for name, value in each.items() if value is not None}
        await redis.hset(keys.profile(user), mapping=mapping)
    await redis.set(keys.recommendation("u2"), b"{}")
    await redis.set(Keys(f"{prefix}x").recommendation("u3"), b"{}")
    return RedisProfiles(redis, keys)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, redis: PackedRedis) -> StoredProfiles:
    if request.param == "memory":
        return MemoryProfiles(profiles())
    return await on_redis(redis, f"test-{uuid4().hex}[?]*:", profiles())


async def test_profiles_are_given_in_the_order_of_the_users(store: StoredProfiles) -> None:
    found = await store.load(["st*r", "nobody", "u1"])
    assert [each.get("recent") for each in found] == [profiles()["st*r"]["recent"], None, profiles()["u1"]["recent"]]
    assert await store.load([]) == []


async def test_every_user_with_a_profile_is_listed(store: StoredProfiles) -> None:
    listed = [user async for some in store.user_ids() for user in some]
    assert set(listed) == set(ODD)


async def test_a_redis_that_is_away_is_named() -> None:
    away = RedisProfiles(connect(RedisSettings(url="redis://127.0.0.1:1/0")), Keys("hr:"))
    with pytest.raises(StoreAway, match="HEADRACE_REDIS_URL"):
        await away.load(["u1"])
    await away.redis.aclose()

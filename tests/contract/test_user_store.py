"""What agents rely on in a `UserStore`: held by the fake and by Redis alike."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from builders import NOW
from fakes import MemoryUsers
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from agents.metrics import Metrics
from agents.ports import UserStore
from app.health import Health
from app.retry import Retry
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.users import RedisUsers
from models.contract.events import Kind
from models.profile import Profile, Seen, Session

FULL = Profile(
    recent=(Seen(NOW + 0.125, int(Kind.CLICK), "é商"), Seen(NOW, int(Kind.VIEW), "i1")),
    bought=(Seen(NOW - 1, int(Kind.ORDER), "i2"),),
    counts=(1.0 / 3.0, 2e-300, 5.0),
    counted_at=NOW + 0.125,
    session=Session("u1@1", NOW - 60, NOW),
    applied={"views-0": 2**40, "shop.clicks-11": 0},
)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def redis_users(redis: PackedRedis) -> RedisUsers:
    return users_on(redis, f"test-{uuid4().hex}:")


def users_on(redis: PackedRedis, prefix: str, capacity: int = 100) -> RedisUsers:
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    return RedisUsers(redis, Keys(prefix), retry, expire_days=30, capacity=capacity)


@pytest.fixture(params=["memory", "redis", "redis without its cache"])
def store(request: pytest.FixtureRequest, redis: PackedRedis) -> UserStore:
    if request.param == "memory":
        return MemoryUsers()
    prefix = f"test-{uuid4().hex}:"
    return users_on(redis, prefix, capacity=100 if request.param == "redis" else 0)


async def test_a_new_user_has_an_empty_profile(store: UserStore) -> None:
    assert await store.load(["u1", "u2"]) == {"u1": Profile(), "u2": Profile()}


async def test_a_profile_comes_back_as_it_was_written(store: UserStore) -> None:
    await store.write({"u1": FULL}, {"u1": b"list"})
    assert await store.load(["u1"]) == {"u1": FULL}


async def test_an_empty_profile_comes_back_empty(store: UserStore) -> None:
    await store.write({"u1": Profile()}, {})
    assert await store.load(["u1"]) == {"u1": Profile()}


async def test_the_last_profile_written_is_the_one_that_stands(store: UserStore) -> None:
    await store.write({"u1": FULL, "u2": FULL}, {})
    shorter = replace(FULL, recent=(), bought=(), session=None, applied={"views-0": 1})
    await store.write({"u1": shorter}, {})
    assert await store.load(["u1", "u2", "u3"]) == {"u1": shorter, "u2": FULL, "u3": Profile()}


async def test_nobody_and_nothing_are_no_obstacle(store: UserStore) -> None:
    await store.write({}, {})
    assert await store.load([]) == {}


@pytest.mark.parametrize("user_id", ["session:s1", "a}b{c", "é 商\u0000", "x" * 128])
async def test_any_user_id_is_kept_apart(store: UserStore, user_id: str) -> None:
    await store.write({user_id: FULL}, {user_id: b"list"})
    assert await store.load([user_id, "other"]) == {user_id: FULL, "other": Profile()}


async def test_only_lists_that_are_there_are_corrected(store: UserStore) -> None:
    await store.write({}, {"u1": b"list", "u2": b"list"})
    assert await store.correct({"u2": b"corrected", "gone": b"corrected"}) == {"u2"}
    assert await store.correct({"gone": b"corrected"}) == set()
    assert await store.correct({}) == set()


async def test_a_corrected_list_expires_when_it_would_have_anyway(redis: PackedRedis, redis_users: RedisUsers) -> None:
    key, gone = redis_users.keys.recommendation("u1"), redis_users.keys.recommendation("gone")
    await redis_users.write({}, {"u1": b"list"})
    await redis.expire(key, 60)
    await redis_users.correct({"u1": b"corrected", "gone": b"corrected"})
    assert await redis.get(key) == b"corrected"
    assert 0 < await redis.ttl(key) <= 60
    assert not await redis.exists(gone)


async def test_lists_are_readable_under_the_contracts_key_and_expire(
    redis: PackedRedis, redis_users: RedisUsers
) -> None:
    await redis_users.write({"u1": FULL}, {"u1": b'{"user_id":"u1"}'})
    prefix = redis_users.keys.prefix
    assert await redis.get(f"{prefix}rec:{{u1}}") == b'{"user_id":"u1"}'
    for key in ("rec", "profile"):
        assert 29 * 86_400 < await redis.ttl(f"{prefix}{key}:{{u1}}") <= 30 * 86_400


async def test_a_list_without_a_profile_can_be_written(redis: PackedRedis, redis_users: RedisUsers) -> None:
    await redis_users.write({}, {"u1": b"corrected"})
    assert await redis.get(redis_users.keys.recommendation("u1")) == b"corrected"
    assert await redis_users.load(["u1"]) == {"u1": Profile()}


async def test_another_worker_reads_what_this_one_wrote(redis: PackedRedis, redis_users: RedisUsers) -> None:
    await redis_users.write({"u1": FULL}, {})
    assert await users_on(redis, redis_users.keys.prefix).load(["u1"]) == {"u1": FULL}


async def test_a_cached_profile_stands_until_it_is_forgotten(redis: PackedRedis, redis_users: RedisUsers) -> None:
    other = users_on(redis, redis_users.keys.prefix)
    await redis_users.write({"u1": FULL}, {})
    await other.write({"u1": Profile(counts=(7.0, 0.0, 0.0))}, {})
    assert await redis_users.load(["u1"]) == {"u1": FULL}
    redis_users.forget()
    assert (await redis_users.load(["u1"]))["u1"].counts == (7.0, 0.0, 0.0)


async def test_the_cache_keeps_those_written_last(redis: PackedRedis) -> None:
    users = users_on(redis, f"test-{uuid4().hex}:", capacity=3)
    for number in range(5):
        await users.write({f"u{number}": FULL}, {})
    await users.write({"u2": FULL}, {})
    assert len(users) == 3
    assert len(await users.load([f"u{number}" for number in range(5)])) == 5


async def test_the_cache_may_be_forgotten_while_profiles_are_read(redis: PackedRedis) -> None:
    prefix = f"test-{uuid4().hex}:"
    users = users_on(redis, prefix)
    await users_on(redis, prefix).write({"stored": FULL}, {})
    await users.write({"cached": FULL}, {})

    async def forgetting(call: object) -> object:
        users.forget()  # partitions move while Redis answers
        return await call()  # type: ignore[operator]  # stands for Retry

    moved = replace(users, retry=forgetting, _cache=users._cache)  # type: ignore[arg-type]  # stands for Retry
    assert await moved.load(["cached", "stored"]) == {"cached": FULL, "stored": FULL}


async def test_users_whose_lists_were_written_are_told_of_once_in_their_order(redis_users: RedisUsers) -> None:
    await redis_users.write({}, {"u1": b"{}", "u2": b"{}"})
    await redis_users.write({"u3": FULL}, {"u1": b"{}"})
    assert redis_users.take_written(2) == ["u2", "u1"]
    assert redis_users.take_written(2) == []

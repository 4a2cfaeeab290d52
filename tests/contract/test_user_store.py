"""What agents rely on in a `UserStore`: held by the fake and by Redis alike."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from uuid import uuid4

import numpy as np
import orjson
import pytest
from asking import list_writes, stored
from asking import writes as writes_of
from builders import NOW
from memory_users import MemoryUsers
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from agents.metrics import Metrics
from agents.ports import Erased, UserStore, WriteOutcome
from agents.users import load_users
from app.health import Health
from app.retry import Retry
from app.store.connection import HashFields
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.users import RedisUsers
from models.contract.events import Kind
from models.processor import ListMaker
from models.profile import Profile, Seen, Session
from models.recommender import Recommender, RecommenderSettings
from models.users.revision import NO_REVISION, REVISION, pack_revisions
from models.users.stored import StoredFields, decode_profile, encode_profiles
from models.users.writes import UserWrites

FULL = Profile(
    recent=(Seen(NOW + 0.125, int(Kind.CLICK), "é商"), Seen(NOW, int(Kind.VIEW), "i1")),
    bought=(Seen(NOW - 1, int(Kind.ORDER), "i2"),),
    counts=(1.0 / 3.0, 2e-300, 1.5, 5.0),
    counted_at=NOW + 0.125,
    session=Session(f"u1@{NOW - 60:.3f}", NOW - 60, NOW),
    applied={"views-0": 2**40, "shop.clicks-11": 0},
)
LIST = b'{"user_id":"u1"}'


def writes(profiles: Mapping[str, Profile], before: int = NO_REVISION, after: int = 1) -> UserWrites:
    """The profiles as a worker stores them, each with a list."""
    return writes_of(stored(profiles), LIST, before, after)


async def load(store: UserStore, *users: str) -> list[Profile | None]:
    return [decode_profile(user, fields) for user, fields in zip(users, await store.load(users), strict=True)]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def redis_users(redis: PackedRedis) -> RedisUsers:
    return users_on(redis, f"test-{uuid4().hex}:")


def users_on(redis: PackedRedis, prefix: str) -> RedisUsers:
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    return RedisUsers(redis, Keys(prefix), retry, expire_days=30)


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis: PackedRedis) -> UserStore:
    return MemoryUsers() if request.param == "memory" else users_on(redis, f"test-{uuid4().hex}:")


async def test_nothing_is_stored_of_a_new_user(store: UserStore) -> None:
    assert await load(store, "u1", "u2") == [None, None]


async def test_a_profile_comes_back_as_it_was_written(store: UserStore) -> None:
    await store.write(writes({"u1": FULL}))
    assert await load(store, "u1") == [FULL]


async def test_an_empty_profile_comes_back_empty(store: UserStore) -> None:
    await store.write(writes({"u1": Profile()}))
    assert await load(store, "u1") == [Profile()]


async def test_the_last_profile_written_counts(store: UserStore) -> None:
    await store.write(writes({"u1": FULL, "u2": replace(FULL, session=None)}))
    shorter = replace(FULL, recent=(), bought=(), session=None, applied={"views-0": 1})
    await store.write(writes({"u1": shorter}, before=1, after=2))
    assert await load(store, "u1", "u2", "u3") == [shorter, replace(FULL, session=None), None]


async def test_nobody_and_nothing_are_no_obstacle(store: UserStore) -> None:
    assert await store.write(writes({})) == []
    assert await store.correct(list_writes({}, before=1, after=2)) == []
    assert await store.load([]) == []


@pytest.mark.parametrize("user_id", ["session:s1", "a}b{c", "é 商\u0000", "x" * 128])
async def test_any_user_id_is_kept_apart(store: UserStore, user_id: str) -> None:
    profile = replace(FULL, session=Session(f"{user_id}@{NOW:.3f}", NOW, NOW))
    await store.write(writes({user_id: profile}))
    assert await load(store, user_id, "other") == [profile, None]


async def test_a_field_that_is_to_go_is_removed(store: UserStore) -> None:
    old: StoredFields = {"recent": b"[]", "bought": b"[]", "session": b"null"}
    new: StoredFields = {"recent": b"[1]", "bought": None, "offsets": None}
    await store.write(writes_of({"u1": old}, LIST))
    await store.write(writes_of({"u1": new}, LIST, before=1, after=2))
    [fields] = await store.load(["u1"])
    assert {name: fields[name] for name in fields if name != REVISION} == {"recent": b"[1]", "session": b"null"}


async def test_only_lists_that_are_there_are_corrected(store: UserStore) -> None:
    await store.write(writes({"u1": Profile(), "u2": Profile()}))
    lists = {"u2": b"corrected", "gone": b"corrected"}
    assert await store.correct(list_writes(lists, before=1, after=2)) == [WriteOutcome.DONE, WriteOutcome.REFUSED]
    gone = list_writes({"gone": b"corrected"}, before=NO_REVISION, after=1)
    assert await store.correct(gone) == [WriteOutcome.GONE]
    assert await store.load(["gone"]) == [{}]


async def test_a_write_that_another_one_overtook_changes_nothing(store: UserStore) -> None:
    await store.write(writes({"u1": FULL, "u2": FULL}))
    await store.write(writes({"u1": Profile()}, before=1, after=2))
    late = replace(FULL, session=None)
    assert await store.write(writes({"u1": late, "u2": late}, before=1, after=3)) == [
        WriteOutcome.REFUSED,
        WriteOutcome.DONE,
    ]
    assert await load(store, "u1", "u2") == [Profile(), late]


async def test_a_new_user_is_new_once(store: UserStore) -> None:
    assert await store.write(writes({"u1": FULL}, after=1)) == [WriteOutcome.DONE]
    assert await store.write(writes({"u1": Profile()}, after=2)) == [WriteOutcome.REFUSED]
    assert await load(store, "u1") == [FULL]


async def test_a_profile_that_the_store_lost_is_not_written_over_the_loss(store: UserStore) -> None:
    assert await store.write(writes({"u1": FULL}, before=1, after=2)) == [WriteOutcome.REFUSED]
    assert await load(store, "u1") == [None]


async def test_a_write_that_is_repeated_because_its_answer_did_not_come_is_done(store: UserStore) -> None:
    await store.write(writes({"u1": FULL}))
    again = writes({"u1": Profile()}, before=1, after=2)
    assert [await store.write(again) for _ in range(2)] == [[WriteOutcome.DONE]] * 2
    assert await load(store, "u1") == [Profile()]


async def test_a_write_tells_its_revision_to_who_loads_the_profile(store: UserStore) -> None:
    await store.write(writes({"u1": FULL}, after=7 << 32 | 5))
    [fields] = await store.load(["u1"])
    assert fields[REVISION] == pack_revisions(np.array([7 << 32 | 5], np.uint64))[0]


async def test_a_correction_supersedes_writes_and_is_superseded_by_them(store: UserStore) -> None:
    await store.write(writes({"u1": FULL}))
    assert await store.correct(list_writes({"u1": b"corrected"}, before=1, after=2)) == [WriteOutcome.DONE]
    assert await store.write(writes({"u1": Profile()}, before=1, after=3)) == [WriteOutcome.REFUSED]
    assert await store.write(writes({"u1": Profile()}, before=2, after=3)) == [WriteOutcome.DONE]
    assert await store.correct(list_writes({"u1": b"late"}, before=1, after=2)) == [WriteOutcome.REFUSED]
    assert await load(store, "u1") == [Profile()]


async def test_a_list_that_was_refused_is_not_there(redis: PackedRedis, redis_users: RedisUsers) -> None:
    await redis_users.write(writes({"u1": FULL}))
    await redis_users.write(writes_of(stored({"u1": FULL}), b"late", before=5, after=6))
    await redis_users.correct(list_writes({"u1": b"late"}, before=5, after=6))
    assert await redis.get(redis_users.keys.recommendation("u1")) == LIST


async def test_a_server_that_was_started_again_learns_the_scripts(redis: PackedRedis, redis_users: RedisUsers) -> None:
    for number in range(2):
        await redis.script_flush()
        profiles = {f"u{user}": FULL for user in range(3)}
        assert await redis_users.write(writes(profiles, before=number, after=number + 1)) == [WriteOutcome.DONE] * 3
    await redis.script_flush()
    assert await redis_users.correct(list_writes({"u1": b"corrected"}, before=2, after=3)) == [WriteOutcome.DONE]


async def test_a_forgotten_user_leaves_nothing_and_may_come_again(store: UserStore) -> None:
    kept = replace(FULL, session=None)
    await store.write(writes({"u1": FULL, "u2": kept}))
    assert await store.forget(["u1", "nobody"]) == [Erased(1, 1), Erased(0, 0)]
    assert await load(store, "u1", "u2") == [None, kept]
    late = list_writes({"u1": b"corrected", "u2": b"corrected"}, before=1, after=2)
    assert await store.correct(late) == [WriteOutcome.REFUSED, WriteOutcome.DONE]
    assert await store.write(writes({"u1": FULL}, before=1, after=3)) == [WriteOutcome.REFUSED]
    assert await store.forget(["u1"]) == [Erased(0, 0)]
    assert await store.forget([]) == []
    await store.write(writes({"u1": Profile()}))
    assert await load(store, "u1") == [Profile()]


async def test_a_forgotten_user_is_not_told_of_any_more(redis: PackedRedis, redis_users: RedisUsers) -> None:
    await redis_users.write(writes({"u1": Profile(), "u2": Profile()}))
    await redis.zadd(redis_users.keys.recent_users(), {"u1": NOW, "u2": NOW})
    await redis_users.forget(["u1"])
    assert redis_users.take_written(5) == ["u2"]
    assert await redis.zrange(redis_users.keys.recent_users(), 0, -1) == [b"u2"]


async def test_a_corrected_list_expires_when_it_would_have_anyway(redis: PackedRedis, redis_users: RedisUsers) -> None:
    key, gone = redis_users.keys.recommendation("u1"), redis_users.keys.recommendation("gone")
    await redis_users.write(writes({"u1": FULL}))
    await redis.expire(key, 60)
    await redis_users.correct(list_writes({"u1": b"corrected", "gone": b"corrected"}, before=1, after=2))
    assert await redis.get(key) == b"corrected"
    assert 0 < await redis.ttl(key) <= 60
    assert not await redis.exists(gone)


async def test_lists_are_readable_under_the_contracts_key_and_expire(
    redis: PackedRedis, redis_users: RedisUsers
) -> None:
    await redis_users.write(writes({"u1": FULL}))
    prefix = redis_users.keys.prefix
    assert await redis.get(f"{prefix}rec:{{u1}}") == LIST
    for key in ("rec", "profile"):
        assert 29 * 86_400 < await redis.ttl(f"{prefix}{key}:{{u1}}") <= 30 * 86_400


async def test_what_other_programs_read_is_there(redis: PackedRedis, redis_users: RedisUsers) -> None:
    await redis_users.write(writes({"u1": FULL}))
    recent, counts = await redis.hmget(redis_users.keys.profile("u1"), "recent", "counts")
    assert orjson.loads(recent or b"") == [["é商", NOW + 0.125, "click"], ["i1", NOW, "view"]]
    assert orjson.loads(counts or b"") == {"view": 0.333333, "click": 0.0, "cart": 1.5, "order": 5.0, "at": NOW + 0.125}


async def test_a_profile_of_version_0_1_0_is_read_and_written_in_the_new_form(
    redis: PackedRedis, redis_users: RedisUsers
) -> None:
    key = redis_users.keys.profile("u1")
    old: HashFields = {
        "recent": orjson.dumps([("é商", NOW + 0.125, "click"), ("i1", NOW, "view")]),
        "bought": orjson.dumps([("i2", NOW - 1)]),
        "counts": orjson.dumps({"view": 1.0 / 3.0, "click": 2e-300, "order": 5.0, "at": NOW + 0.125}),
        "session": orjson.dumps((f"u1@{NOW - 60:.3f}", NOW - 60, NOW)),
        "offsets": orjson.dumps({"views-0": 2**40, "shop.clicks-11": 0}),
    }
    await redis.hset(key, mapping=old)
    without_carts = replace(FULL, counts=(1.0 / 3.0, 2e-300, 0.0, 5.0))
    assert await load(redis_users, "u1") == [without_carts]
    maker = ListMaker.of(Recommender(RecommenderSettings()), 10)
    slots = await load_users(maker.table, redis_users, ["u1"])
    asked = maker.request(slots, np.zeros(1, np.uint64))
    fields = encode_profiles(maker.table, slots, asked, maker.names)
    await redis_users.write(UserWrites(["u1"], fields, [LIST], maker.table.supersede(slots)))
    assert set(await redis.hkeys(key)) == {b"revision", b"state", b"recent", b"counts"}
    assert await load(redis_users, "u1") == [without_carts]
    assert None not in encode_profiles(maker.table, slots, asked, maker.names)[0].values()


async def test_another_worker_reads_what_this_one_wrote(redis: PackedRedis, redis_users: RedisUsers) -> None:
    await redis_users.write(writes({"u1": FULL}))
    assert await load(users_on(redis, redis_users.keys.prefix), "u1") == [FULL]


async def test_users_whose_lists_were_written_are_told_of_once_in_their_order(redis_users: RedisUsers) -> None:
    await redis_users.write(writes({"u1": Profile(), "u2": Profile()}))
    await redis_users.write(writes({"u3": FULL}))
    await redis_users.write(writes({"u1": FULL, "u2": FULL}, before=1, after=2))
    await redis_users.write(writes({"u2": FULL}, before=1, after=3))
    assert redis_users.take_written(3) == ["u3", "u1", "u2"]
    assert redis_users.take_written(2) == []

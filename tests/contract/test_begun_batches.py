"""The `BegunBatches` port: one suite for the fake and for Redis."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from event_log import MemoryBegun
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from agents.metrics import Metrics
from agents.ports import BegunBatches
from app.health import Health
from app.retry import Retry
from app.store.begun import RedisBegun
from app.store.keys import Keys
from app.store.packed import PackedRedis
from models.contract.begun import Begun, Claim

VIEWS = Begun("views", "1760000000000", 5, 9, "00ff")
CLICKS = Begun("clicks", "", 0, 0, "ab")


@pytest.fixture
async def on_redis(redis_url: str) -> AsyncIterator[RedisBegun]:
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    async with PackedRedis.from_url(redis_url) as connected:
        yield RedisBegun(connected, Keys(f"test-{uuid4().hex}:"), retry)


@pytest.fixture(params=["memory", "redis"])
def begun(request: pytest.FixtureRequest, on_redis: RedisBegun) -> BegunBatches:
    return on_redis if request.param == "redis" else MemoryBegun()


async def test_nothing_is_noted_and_claimed_at_first(begun: BegunBatches) -> None:
    assert await begun.claim(3) == ""
    assert await begun.take_over(3, Claim("", "first")) == []
    assert await begun.claim(3) == "first"


async def test_what_is_noted_comes_back_in_its_order(begun: BegunBatches) -> None:
    await begun.take_over(3, Claim("", "first"))
    assert await begun.write({3: [VIEWS, CLICKS]}, {3: Claim("first", "second")}) == set()
    assert await begun.take_over(3, Claim("second", "third")) == [VIEWS, CLICKS]
    assert await begun.take_over(4, Claim("", "third")) == []


async def test_a_note_replaces_the_one_before(begun: BegunBatches) -> None:
    await begun.take_over(3, Claim("", "first"))
    await begun.write({3: [VIEWS]}, {3: Claim("first", "second")})
    await begun.write({3: [CLICKS]}, {3: Claim("second", "third")})
    assert await begun.take_over(3, Claim("third", "fourth")) == [CLICKS]


async def test_what_is_done_again_because_no_answer_came_is_done_once(begun: BegunBatches) -> None:
    for _ in range(2):
        assert await begun.take_over(3, Claim("", "first")) == []
    for _ in range(2):
        assert await begun.write({3: [VIEWS]}, {3: Claim("first", "second")}) == set()


async def test_a_note_that_arrives_after_the_next_one_changes_nothing(begun: BegunBatches) -> None:
    await begun.take_over(3, Claim("", "first"))
    await begun.write({3: [VIEWS]}, {3: Claim("first", "second")})
    await begun.write({3: [CLICKS]}, {3: Claim("second", "third")})
    assert await begun.write({3: [VIEWS]}, {3: Claim("first", "second")}) == {3}
    assert await begun.take_over(3, Claim("third", "fourth")) == [CLICKS]


async def test_who_lost_a_partition_notes_nothing_more_in_it(begun: BegunBatches) -> None:
    for partition in (3, 4):
        await begun.take_over(partition, Claim("", "first"))
    await begun.take_over(3, Claim("first", "other"))
    claims = dict.fromkeys((3, 4), Claim("first", "second"))
    assert await begun.write({3: [VIEWS], 4: [CLICKS]}, claims) == {3}
    assert await begun.take_over(3, Claim("other", "third")) == []
    assert await begun.take_over(4, Claim("second", "third")) == [CLICKS]


async def test_a_claim_that_another_one_came_before_is_none(begun: BegunBatches) -> None:
    await begun.take_over(3, Claim("", "first"))
    assert await begun.take_over(3, Claim("", "other")) is None
    assert await begun.claim(3) == "first"


async def test_in_a_store_that_lost_its_data_nothing_is_noted_without_another_claim(begun: BegunBatches) -> None:
    assert await begun.write({3: [VIEWS]}, {3: Claim("first", "second")}) == {3}
    assert await begun.take_over(3, Claim("", "third")) == []


async def test_a_claim_that_no_worker_made_is_said_to_be_another_s(on_redis: RedisBegun) -> None:
    await on_redis.redis.set(on_redis.keys.claim(3), b"\xff\xfe")
    with pytest.raises(ValueError, match="utf-8"):
        await on_redis.claim(3)

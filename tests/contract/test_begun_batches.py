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
from models.contract.begun import Begun

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


async def test_nothing_is_noted_at_first(begun: BegunBatches) -> None:
    assert await begun.take_over(3, "first") == []


async def test_what_is_noted_comes_back_in_its_order(begun: BegunBatches) -> None:
    await begun.take_over(3, "first")
    assert await begun.write({3: [VIEWS, CLICKS]}, {3: "first"}) == set()
    assert await begun.take_over(3, "second") == [VIEWS, CLICKS]
    assert await begun.take_over(4, "second") == []


async def test_a_note_replaces_the_one_before(begun: BegunBatches) -> None:
    await begun.take_over(3, "first")
    await begun.write({3: [VIEWS]}, {3: "first"})
    await begun.write({3: [CLICKS]}, {3: "first"})
    assert await begun.take_over(3, "second") == [CLICKS]


async def test_who_lost_a_partition_notes_nothing_more_in_it(begun: BegunBatches) -> None:
    for partition in (3, 4):
        await begun.take_over(partition, "first")
    await begun.take_over(3, "second")
    assert await begun.write({3: [VIEWS], 4: [CLICKS]}, {3: "first", 4: "first"}) == {3}
    assert await begun.take_over(3, "third") == []
    assert await begun.take_over(4, "third") == [CLICKS]


async def test_a_store_that_lost_its_data_knows_no_claim(begun: BegunBatches) -> None:
    assert await begun.write({3: [VIEWS]}, {3: "first"}) == set()
    assert await begun.write({3: [CLICKS]}, {3: "other"}) == {3}
    assert await begun.take_over(3, "third") == [VIEWS]

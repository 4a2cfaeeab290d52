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
    assert await begun.load(3) == []


async def test_what_is_noted_comes_back_in_its_order(begun: BegunBatches) -> None:
    await begun.write({3: [VIEWS, CLICKS]})
    assert await begun.load(3) == [VIEWS, CLICKS]
    assert await begun.load(4) == []


async def test_a_note_replaces_the_one_before(begun: BegunBatches) -> None:
    await begun.write({3: [VIEWS]})
    await begun.write({3: [CLICKS]})
    assert await begun.load(3) == [CLICKS]

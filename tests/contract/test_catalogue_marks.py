"""One suite for the `CatalogueMarks` of memory and of Redis."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from memory_marks import MemoryMarks
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from agents.metrics import Metrics
from agents.ports import CatalogueMarks
from app.health import Health
from app.retry import Retry
from app.store.keys import Keys
from app.store.marks import RedisMarks
from app.store.packed import PackedRedis


@pytest.fixture
async def on_redis(redis_url: str) -> AsyncIterator[RedisMarks]:
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    async with PackedRedis.from_url(redis_url) as connected:
        yield RedisMarks(connected, Keys(f"test-{uuid4().hex}:"), retry, "items")


@pytest.fixture(params=["memory", "redis"])
def marks(request: pytest.FixtureRequest, on_redis: RedisMarks) -> CatalogueMarks:
    return on_redis if request.param == "redis" else MemoryMarks()


async def test_there_is_no_mark_at_first(marks: CatalogueMarks) -> None:
    assert await marks.load([0, 3]) == ["", ""]
    assert await marks.load([]) == []


async def test_a_mark_replaces_the_one_that_is_there(marks: CatalogueMarks) -> None:
    assert await marks.swap(3, "", "17")
    assert await marks.swap(3, "17", "17 claim")
    assert await marks.load([0, 3]) == ["", "17 claim"]


async def test_a_mark_is_left_alone_where_another_is_stored(marks: CatalogueMarks) -> None:
    await marks.swap(3, "", "17")
    assert not await marks.swap(3, "", "18")
    assert not await marks.swap(3, "16", "18")
    assert not await marks.swap(4, "17", "18")
    assert await marks.load([3, 4]) == ["17", ""]


async def test_each_topic_has_marks_of_its_own(on_redis: RedisMarks) -> None:
    other = RedisMarks(on_redis.redis, on_redis.keys, on_redis.retry, "other-items")
    await on_redis.swap(0, "", "17")
    assert await other.load([0]) == [""]

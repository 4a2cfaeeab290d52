"""One suite for the `SimilarStore` of memory and of Redis."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from similar_lists import MemorySimilar

from agents.metrics import Metrics
from agents.ports import SimilarStore
from app.health import Health
from app.retry import Retry
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.similar import RedisSimilar


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[SimilarStore]:
    if request.param == "memory":
        yield MemorySimilar()
        return
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    async with PackedRedis.from_url(redis_url) as redis:
        yield RedisSimilar(redis, Keys(f"test-{uuid4().hex}:"), retry)


async def test_items_without_a_list_are_missing(store: SimilarStore) -> None:
    await store.write({"kettle": b"[]", "teapot": b"[]"}, await store.moment())
    await store.write({"teapot": None, "never": None}, await store.moment())
    assert await store.missing(["never", "kettle", "teapot"]) == ["never", "teapot"]
    assert await store.missing([]) == []


async def test_a_list_that_was_made_before_the_stored_one_changes_nothing(store: SimilarStore) -> None:
    early = await store.moment()
    later = await store.moment()
    await store.write({"teapot": b"[]"}, later)
    await store.write({"teapot": None}, early)
    assert await store.missing(["teapot"]) == []
    await store.write({"teapot": None}, await store.moment())
    await store.write({"teapot": b"[]"}, early)
    assert await store.missing(["teapot"]) == ["teapot"]

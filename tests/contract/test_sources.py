"""Redis tells one log of a source partition from the next."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import uuid4

import numpy as np
import pytest
from builders import NOW, batch, event
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from typing_extensions import override

from agents.metrics import Metrics
from app.health import Health
from app.retry import Retry
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.sources import RedisSources
from models.contract.events import RawBatch


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def keys() -> Keys:
    return Keys(f"test-{uuid4().hex}:")


def batch_from(first: int, time: float) -> RawBatch:
    """Return a batch that begins at this offset and was appended at this time."""
    return replace(batch(event(), first=first), times=np.array([time]))


def nothing() -> str:
    """The name that a worker learned from an empty log of interactions."""
    return ""


def sources(redis: PackedRedis, keys: Keys) -> RedisSources:
    """Return the sources of a worker that just started."""
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    return RedisSources(redis, keys, retry)


async def test_the_first_record_names_the_log_and_later_workers_remember(redis: PackedRedis, keys: Keys) -> None:
    named = await sources(redis, keys).log_of(batch_from(0, NOW), nothing)

    assert named
    assert await sources(redis, keys).log_of(batch_from(7, NOW + 60), nothing) == named
    assert await sources(redis, keys).log_of(batch_from(0, NOW), nothing) == named


async def test_a_topic_made_again_is_another_log(redis: PackedRedis, keys: Keys) -> None:
    worker = sources(redis, keys)
    former = await worker.log_of(batch_from(0, NOW), nothing)

    assert await worker.log_of(batch_from(0, NOW + 60), nothing) != former
    assert await worker.log_of(batch_from(5, NOW + 61), nothing) != former


async def test_a_log_whose_beginning_was_never_seen_has_no_name(redis: PackedRedis, keys: Keys) -> None:
    assert await sources(redis, keys).log_of(batch_from(7, NOW), nothing) == ""


async def test_what_another_worker_found_is_read_after_a_rebalance(redis: PackedRedis, keys: Keys) -> None:
    worker = sources(redis, keys)
    former = await worker.log_of(batch_from(0, NOW), nothing)
    await sources(redis, keys).log_of(batch_from(0, NOW + 60), nothing)

    worker.forget()

    assert await worker.log_of(batch_from(5, NOW + 61), nothing) != former


async def test_a_name_that_redis_lost_is_the_one_that_interactions_have(redis: PackedRedis, keys: Keys) -> None:
    named = await sources(redis, keys).log_of(batch_from(0, NOW), nothing)
    await redis.delete(keys.source("views-0"))

    assert await sources(redis, keys).log_of(batch_from(7, NOW + 60), lambda: named) == named
    assert await sources(redis, keys).log_of(batch_from(9, NOW + 60), nothing) == named


async def test_a_name_that_redis_has_counts_more_than_one_that_was_learned(redis: PackedRedis, keys: Keys) -> None:
    named = await sources(redis, keys).log_of(batch_from(0, NOW), nothing)
    assert await sources(redis, keys).log_of(batch_from(7, NOW + 60), lambda: "1") == named


@dataclass(frozen=True, slots=True)
class Paused(RedisSources):
    """A worker that is paused after it looked what is stored, once."""

    meanwhile: list[Callable[[], Awaitable[str]]] = field(default_factory=list)

    @override
    async def _load(self, place: str) -> str:
        found = await RedisSources._load(self, place)
        while self.meanwhile:
            await self.meanwhile.pop()()
        return found


async def test_a_worker_that_goes_on_late_does_not_name_a_log_that_is_gone(redis: PackedRedis, keys: Keys) -> None:
    owner = sources(redis, keys)
    paused = Paused(redis, keys, owner.retry, meanwhile=[lambda: owner.log_of(batch_from(0, NOW + 60), nothing)])

    await paused.log_of(batch_from(0, NOW), nothing)

    newer = await owner.log_of(batch_from(5, NOW + 61), nothing)
    assert await sources(redis, keys).log_of(batch_from(7, NOW + 62), nothing) == newer


async def test_an_owner_whose_name_is_overtaken_by_that_of_a_log_that_is_gone_writes_it_again(
    redis: PackedRedis, keys: Keys
) -> None:
    late = sources(redis, keys)
    owner = Paused(redis, keys, late.retry, meanwhile=[lambda: late.log_of(batch_from(0, NOW), nothing)])

    newer = await owner.log_of(batch_from(0, NOW + 60), nothing)

    assert await sources(redis, keys).log_of(batch_from(7, NOW + 62), nothing) == newer

"""Writes of models and of similar items that arrive late, at servers that carried out newer ones.

Every script is recorded as it is sent, and sent once more at the end: that must change nothing.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from typing_extensions import override

from agents.metrics import Metrics
from agents.ports import Assessed
from app.health import Health
from app.retry import Retry
from app.store.assessments import RedisAssessments
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.similar import RedisSimilar
from app.store.vector_set import VectorSet
from models.contract.events import Item
from models.contract.item_codec import Deleted
from models.quality.assessment import Assessment, pack_vector
from models.quality.text import QualitySettings

KETTLE = Item("kettle", "Kettle", category="Home")


class RecordedRedis(PackedRedis):
    """Keeps what is sent while `recorded` is a list."""

    recorded: list[Command] | None = None

    @override
    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        if self.recorded is not None:
            self.recorded += [each for each in commands if each[0] == "EVALSHA"]
        return await super().exchange(commands)


class Shop:
    """The stores of a worker with models."""

    def __init__(self, redis: RecordedRedis) -> None:
        self.redis, self.keys = redis, Keys(f"test-{uuid4().hex}:")
        self.retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
        self.items = RedisItems(redis, self.keys, self.retry)
        self.similar = RedisSimilar(redis, self.keys, self.retry)
        self.late: list[Command] = []

    async def assess(self, item: Item, *direction: float, model: str = "m1", judge: str = "q1") -> None:
        """Assess the item as it is stored, and write its neighbours."""
        store = self.store(model)
        assessment = Assessment(
            text_hash=f"{abs(hash((model, item.title))):016x}"[:16],
            embedding=model,
            vector=pack_vector(np.array(direction, np.float32)) if item.title else b"",
            judged_by=judge,
            quality=1 / len(judge),
        )
        [before] = await store.load([item.item_id])
        with_list = {item.item_id: b"[1]" if item.title else None}
        moment = await self.similar.moment()
        self.redis.recorded = self.late
        assert await store.write([Assessed(item, assessment, before != assessment, before)]) == []
        await self.similar.write(with_list, moment)
        self.redis.recorded = None

    async def delete(self, item: Item) -> None:
        await self.items.write([Deleted(item.item_id)])
        self.redis.recorded = self.late
        await self.store().forget([item.item_id])
        self.redis.recorded = None

    def store(self, model: str = "m1") -> RedisAssessments:
        vectors = VectorSet(self.redis, self.keys, model)
        return RedisAssessments(self.redis, self.keys, self.retry, vectors, QualitySettings())

    async def stored(self) -> dict[str, object]:
        """All that look-ups can see of the item, and what fences it."""
        keys, found = self.keys, {}
        for place in (keys.vectors(), keys.vectors("m2")):
            for command in ("VGETATTR", "VEMB"):
                found[f"{command} {place}"] = await self.redis.execute_command(command, place, "kettle")  # type: ignore[no-untyped-call]  # redis-py has no types here
        found["item"] = await self.redis.hgetall(keys.item("kettle"))
        found["similar"] = await self.redis.get(keys.similar("kettle"))
        found["model"] = await self.redis.get(keys.vectors_model())
        return found


@pytest.fixture
async def shop(redis_url: str) -> AsyncIterator[Shop]:
    async with RecordedRedis.from_url(redis_url) as redis:
        yield Shop(redis)


async def until_deleted(shop: Shop) -> None:
    await shop.items.write([KETTLE])
    await shop.assess(KETTLE, 1, 0)
    await shop.delete(KETTLE)


async def until_another_text(shop: Shop) -> None:
    await until_deleted(shop)
    other = replace(KETTLE, title="Electric kettle")
    await shop.items.write([other])
    await shop.assess(other, 0, 1)


async def until_judged_twice(shop: Shop) -> None:
    await shop.items.write([KETTLE])
    await shop.assess(KETTLE, 1, 0)
    await shop.assess(KETTLE, 1, 0, judge="q1+s")
    await shop.items.write([replace(KETTLE, price=3.0)])
    await shop.assess(KETTLE, 1, 0, judge="q1+s")


async def until_untitled(shop: Shop) -> None:
    await until_another_text(shop)
    untitled = replace(KETTLE, title="")
    await shop.items.write([untitled])
    await shop.assess(untitled)


async def until_another_model(shop: Shop) -> None:
    await until_another_text(shop)
    other = replace(KETTLE, title="Electric kettle")
    await shop.assess(other, 1, 0, 0, model="m2")
    shop.redis.recorded = shop.late
    await shop.store("m2").complete()
    shop.redis.recorded = None


STORIES = [until_deleted, until_another_text, until_judged_twice, until_untitled, until_another_model]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_writes_that_arrive_once_more_in_any_order_change_nothing(shop: Shop, story: Any) -> None:
    await story(shop)
    expected = await shop.stored()
    *most, last = shop.late
    assert most
    for order in (shop.late, [last, *most], shop.late[::-1], *permutations(shop.late, 2)):
        replies = await shop.redis.exchange(list(order))
        assert not [each for each in replies if isinstance(each, Exception)]
        assert await shop.stored() == expected

"""What the shop decides on a hidden item reaches the vector set, on a real Redis."""

from dataclasses import replace
from uuid import uuid4

import orjson
from assessing import ItemAgents
from builders import item
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from agents.decisions import FollowDecisions
from agents.metrics import Metrics
from agents.ports import Assessed
from app.health import Health
from app.retry import Retry
from app.store.assessments import RedisAssessments
from app.store.commands import execute
from app.store.decisions import RedisDecisions, allow_item, undo_allow
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.vector_set import VectorSet
from models.contract.events import Item
from models.quality.text import QualitySettings

ODD = Item("odd", "Mug?")


class Shop:
    """A worker with one hidden item, which is in Redis."""

    def __init__(self, redis: PackedRedis) -> None:
        self.redis, self.keys = redis, Keys(f"test-{uuid4().hex}:")
        self.retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
        self.agents = ItemAgents()
        vectors = VectorSet(redis, self.keys, self.agents.model.models.embedding)
        self.store = RedisAssessments(
            redis, self.keys, self.retry, vectors, QualitySettings(), self.agents.follow.is_allowed
        )
        self.start()

    def start(self) -> None:
        """Start the agent of decisions as a new owner of the partition would."""
        decisions = RedisDecisions(self.redis, self.keys, self.retry)
        assess = replace(self.agents.assess, store=self.store)
        owned = self.agents.owned
        self.decisions = FollowDecisions(decisions, self.agents.follow, assess, lambda: owned, lambda: True)

    async def fill(self) -> None:
        await self.agents.handle(item("odd", title="Mug?"))
        self.agents.deliver()
        await RedisItems(self.redis, self.keys, self.retry).write([ODD])
        await self.write()

    async def write(self) -> None:
        """Write the assessment as if no worker had heard of a decision."""
        said = self.agents.model.say(ODD)
        [before] = await self.store.load(["odd"])
        unaware = replace(self.store, is_allowed=lambda _: False)
        assert await unaware.write([Assessed(ODD, said, is_new=True, before=before)]) == []

    async def is_recommended(self) -> bool:
        """Whether look-ups by meaning may find the item."""
        [raw] = await execute(self.redis, [("VGETATTR", self.keys.vectors(), "odd")])
        found: bool = orjson.loads(raw)["recommended"]
        return found


async def test_an_allowed_item_is_found_by_meaning_until_that_is_undone(redis_url: str) -> None:
    async with PackedRedis.from_url(redis_url) as redis:
        shop = Shop(redis)
        await shop.fill()
        assert not await shop.is_recommended()
        await allow_item(redis, shop.keys, "odd", 1.0)
        await shop.decisions.look()
        assert await shop.is_recommended()
        assert await undo_allow(redis, shop.keys, "odd", QualitySettings())
        await shop.decisions.look()
        assert not await shop.is_recommended()


async def test_a_new_owner_writes_what_the_last_one_did_not(redis_url: str) -> None:
    async with PackedRedis.from_url(redis_url) as redis:
        shop = Shop(redis)
        await shop.fill()
        await allow_item(redis, shop.keys, "odd", 1.0)
        await shop.decisions.look()
        await shop.write()
        assert not await shop.is_recommended()
        shop.start()
        await shop.decisions.look()
        assert await shop.is_recommended()

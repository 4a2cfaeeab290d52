"""One suite for the `AssessmentStore` of memory and of Redis, and what look-ups see of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import uuid4

import numpy as np
import orjson
import pytest
from fakes import MemoryAssessments, MemoryItems
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError, ResponseError
from shops import lookups_on

from agents.metrics import Metrics
from agents.ports import Assessed, AssessmentStore, ItemStore
from app.health import Health
from app.retry import Retry
from app.store.assessments import RedisAssessments
from app.store.commands import execute
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.vector_set import VectorSet
from models.contract.events import Item
from models.contract.item_codec import Deleted
from models.quality.assessment import Assessment, pack_vector
from models.quality.text import QualitySettings

KETTLE = Item("kettle", "Kettle", category="Home/Kitchen", brand="Acme", price=19.5, currency="EUR")
TEAPOT = Item("teapot", "Teapot", available=False)


def assessed(*direction: float, quality: float | None = 0.9, reasons: tuple[str, ...] = ()) -> Assessment:
    return Assessment("00" * 8, "m1", pack_vector(np.array(direction, np.float32)), "q1", quality, reasons)


@dataclass
class ItemStores:
    """Both stores of the agent of `items`."""

    items: ItemStore
    assessments: AssessmentStore


async def write_over(store: AssessmentStore, *written: Assessed) -> None:
    """Write, each over the assessment that is stored; nothing may be refused."""
    before = await store.load([each.item.item_id for each in written])
    assert await store.write([each._replace(before=old) for each, old in zip(written, before, strict=True)]) == []


@dataclass
class OnRedis:
    """Both stores on Redis, and readers of them."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    def shop(self, model: str = "m1") -> ItemStores:
        vectors = VectorSet(self.redis, self.keys, model)
        items = RedisItems(self.redis, self.keys, self.retry)
        return ItemStores(items, RedisAssessments(self.redis, self.keys, self.retry, vectors, QualitySettings()))

    async def similar(self, item_id: str) -> list[tuple[str, float]]:
        found = await lookups_on(self.redis, self.keys).similar(item_id, 10)
        return [(each["item_id"], round(each["score"], 1)) for each in found]

    async def attributes(self, item_id: str) -> dict[str, object] | None:
        raw = await self.redis.execute_command("VGETATTR", self.keys.vectors(), item_id)  # type: ignore[no-untyped-call]  # redis-py has no types here
        if raw is None:
            return None
        found: dict[str, object] = orjson.loads(raw)
        assert found.pop("revision")
        return found


@pytest.fixture
async def on_redis(redis_url: str) -> AsyncIterator[OnRedis]:
    retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
    async with PackedRedis.from_url(redis_url) as connected:
        yield OnRedis(connected, Keys(f"test-{uuid4().hex}:"), retry)


@pytest.fixture(params=["memory", "redis"])
def shop(request: pytest.FixtureRequest, on_redis: OnRedis) -> ItemStores:
    if request.param == "redis":
        return on_redis.shop()
    items = MemoryItems()
    return ItemStores(items, MemoryAssessments(items))


async def test_stored_items_come_back_as_they_are(shop: ItemStores) -> None:
    await shop.items.write([KETTLE, TEAPOT, Deleted("gone")])
    assert await shop.assessments.items(["teapot", "never", "kettle", "gone"]) == [TEAPOT, None, KETTLE, None]


async def test_an_assessment_comes_back_whole(shop: ItemStores) -> None:
    await shop.items.write([KETTLE, TEAPOT])
    kettle, teapot = assessed(1, 0, reasons=("spam",)), Assessment("ff" * 8)
    await shop.assessments.write([Assessed(KETTLE, kettle, True), Assessed(TEAPOT, teapot, True)])
    assert await shop.assessments.load(["teapot", "never", "kettle"]) == [teapot, None, kettle]


async def test_what_is_not_new_leaves_what_is_stored(shop: ItemStores) -> None:
    await shop.items.write([KETTLE])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), True)])
    await shop.assessments.write([Assessed(replace(KETTLE, available=False), assessed(1, 0), False)])
    assert await shop.assessments.load(["kettle"]) == [assessed(1, 0)]


async def test_writing_an_item_again_keeps_its_assessment(shop: ItemStores) -> None:
    await shop.items.write([KETTLE])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), True)])
    await shop.items.write([replace(KETTLE, price=5.0)])
    assert await shop.assessments.load(["kettle"]) == [assessed(1, 0)]


async def test_a_forgotten_item_has_no_assessment(shop: ItemStores) -> None:
    await shop.items.write([KETTLE])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), True)])
    await shop.items.write([Deleted("kettle")])
    await shop.assessments.forget(["kettle", "never"])
    assert await shop.assessments.load(["kettle"]) == [None]


async def test_a_remembered_assessment_is_read_without_being_written(shop: ItemStores) -> None:
    await shop.items.write([KETTLE])
    await shop.assessments.remember({"kettle": assessed(1, 0), "teapot": assessed(0, 1)})
    await shop.assessments.remember({"teapot": None, "never": None})
    assert await shop.assessments.load(["kettle", "teapot"]) == [assessed(1, 0), None]
    assert await shop.assessments.items(["kettle"]) == [KETTLE]


async def test_a_remembered_vector_is_found_once_its_item_is_written_as_known(on_redis: OnRedis) -> None:
    shop = on_redis.shop()
    await shop.items.write([KETTLE])
    await shop.assessments.remember({"kettle": assessed(1, 0)})
    assert await on_redis.attributes("kettle") is None
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), False)])
    assert await on_redis.attributes("kettle") is not None


async def test_an_assessment_of_a_text_or_over_an_assessment_that_is_not_stored_any_more_is_refused(
    shop: ItemStores,
) -> None:
    await shop.items.write([KETTLE])
    first, second = assessed(1, 0), replace(assessed(1, 0), judged_by="q1+s", quality=0.2)
    assert await shop.assessments.write([Assessed(KETTLE, first, True)]) == []
    assert await shop.assessments.write([Assessed(KETTLE, second, True, first)]) == []
    assert await shop.assessments.write([Assessed(KETTLE, first, True)]) == ["kettle"]
    assert await shop.assessments.write([Assessed(KETTLE, first, False)]) == ["kettle"]
    assert await shop.assessments.load(["kettle"]) == [second]
    await shop.items.write([replace(KETTLE, title="Electric kettle")])
    third = replace(assessed(0, 1), text_hash="11" * 8)
    assert await shop.assessments.write([Assessed(KETTLE, third, True, second)]) == ["kettle"]
    assert await shop.assessments.write([Assessed(Item("never", "Never"), third, True)]) == ["never"]
    assert await shop.assessments.load(["kettle", "never"]) == [second, None]


async def test_an_item_that_is_there_again_is_not_forgotten(shop: ItemStores) -> None:
    await shop.items.write([KETTLE])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), True)])
    await shop.items.write([Deleted("kettle")])
    await shop.items.write([KETTLE])
    await shop.assessments.forget(["kettle"])
    await shop.assessments.remember({"kettle": None})
    assert await shop.assessments.load(["kettle"]) == [assessed(1, 0)]


async def test_nothing_to_do_is_no_obstacle(shop: ItemStores) -> None:
    await shop.assessments.write([])
    await shop.assessments.forget([])
    await shop.assessments.remember({})
    assert await shop.assessments.load([]) == []
    assert await shop.assessments.items([]) == []


async def test_look_ups_see_quality_and_reasons(on_redis: OnRedis) -> None:
    shop = on_redis.shop()
    await shop.items.write([KETTLE, TEAPOT])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0, quality=0.25, reasons=("spam", "markup")), True)])
    lookups = lookups_on(on_redis.redis, on_redis.keys)
    kettle, teapot = await lookups.item("kettle"), await lookups.item("teapot")
    assert kettle is not None
    assert teapot is not None
    assert (kettle.quality, kettle.reasons) == (0.25, ("spam", "markup"))
    assert (teapot.quality, teapot.reasons) == (None, None)


async def test_the_vector_set_finds_what_is_near_and_may_be_recommended(on_redis: OnRedis) -> None:
    shop = on_redis.shop()
    near, bad = Item("near", "Near"), Item("bad", "Bad")
    await shop.items.write([KETTLE, TEAPOT, near, bad])
    await shop.assessments.write(
        [
            Assessed(KETTLE, assessed(1, 0), True),
            Assessed(TEAPOT, assessed(1, 0.1), True),
            Assessed(near, assessed(0.6, 0.8), True),
            Assessed(bad, assessed(1, 0, quality=0.1), True),
        ]
    )
    assert await on_redis.similar("kettle") == [("near", 0.6)]
    assert await on_redis.similar("unknown") == []
    assert await on_redis.attributes("kettle") == {
        "category": "Home/Kitchen",
        "brand": "Acme",
        "price": 19.5,
        "quality": 0.9,
        "available": True,
        "recommended": True,
    }


async def test_attributes_follow_the_item_while_its_text_is_the_same(on_redis: OnRedis) -> None:
    shop = on_redis.shop()
    await shop.items.write([KETTLE, TEAPOT])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), True), Assessed(TEAPOT, assessed(1, 0), True)])
    back = replace(TEAPOT, available=True)
    await shop.items.write([back])
    await shop.assessments.write([Assessed(back, assessed(1, 0), False)])
    assert await on_redis.similar("kettle") == [("teapot", 1.0)]
    await shop.items.write([Deleted("teapot")])
    await shop.assessments.forget(["teapot"])
    assert await on_redis.attributes("teapot") is None


async def test_vectors_of_another_model_take_their_place_when_they_are_complete(on_redis: OnRedis) -> None:
    old, new = on_redis.shop("m1"), on_redis.shop("m2")
    pot = replace(TEAPOT, available=True)
    await old.items.write([KETTLE, pot])
    await old.assessments.complete()
    await old.assessments.write([Assessed(KETTLE, assessed(1, 0), True), Assessed(pot, assessed(1, 0), True)])
    await write_over(new.assessments, Assessed(KETTLE, assessed(1, 0, 0), True), Assessed(pot, assessed(0, 1, 0), True))
    assert await on_redis.similar("kettle") == [("teapot", 1.0)]
    await new.assessments.complete()
    assert await on_redis.similar("kettle") == [("teapot", 0.0)]
    await new.assessments.complete()
    assert await on_redis.redis.exists(on_redis.keys.vectors("m2")) == 0


async def test_what_was_deleted_after_a_model_was_given_up_does_not_come_back_with_that_model(
    on_redis: OnRedis,
) -> None:
    pot = replace(TEAPOT, available=True)
    for model in ("m1", "m2"):
        shop = on_redis.shop(model)
        await shop.items.write([KETTLE, pot])
        await write_over(shop.assessments, Assessed(KETTLE, assessed(1, 0), True), Assessed(pot, assessed(1, 0), True))
    await on_redis.shop().items.write([Deleted("teapot")])
    await on_redis.shop("m1").assessments.forget(["teapot"])
    await on_redis.shop("m2").assessments.complete()
    assert await on_redis.attributes("kettle") is not None
    assert await on_redis.attributes("teapot") is None


async def test_vectors_of_a_model_that_was_given_up_go(on_redis: OnRedis) -> None:
    old, given_up = on_redis.shop("m1"), on_redis.shop("m2")
    await old.items.write([KETTLE])
    await write_over(old.assessments, Assessed(KETTLE, assessed(1, 0), True))
    await old.assessments.complete()
    await write_over(given_up.assessments, Assessed(KETTLE, assessed(0, 1), True))
    await old.assessments.complete()
    # workers of this model may take over next
    assert await on_redis.redis.exists(on_redis.keys.vectors("m2")) == 1
    await on_redis.shop("m1").assessments.complete()
    assert await on_redis.redis.exists(on_redis.keys.vectors("m2"), on_redis.keys.vector_models()) == 0
    assert await on_redis.attributes("kettle") is not None


async def test_a_store_without_vector_sets_keeps_the_rest(on_redis: OnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    async def without_vector_sets(redis: PackedRedis, commands: list[tuple[str, ...]]) -> list[object]:
        if any(command[0].startswith("V") for command in commands):
            raise ResponseError("unknown command 'VCARD', with args beginning with: ")
        return await execute(redis, commands)

    monkeypatch.setattr("app.store.vector_set.execute", without_vector_sets)
    shop = on_redis.shop()
    await shop.items.write([KETTLE])
    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0), True)])
    await shop.assessments.forget(["teapot"])
    await shop.assessments.complete()
    assert await shop.assessments.load(["kettle"]) == [assessed(1, 0)]


async def test_look_ups_leave_out_what_was_found_defective_after_a_list_was_stored(on_redis: OnRedis) -> None:
    shop = on_redis.shop()
    await shop.items.write([KETTLE])
    listed = orjson.dumps([{"item_id": "kettle", "score": 1.0, "source": "semantic"}])
    await on_redis.redis.set(on_redis.keys.similar("mug"), listed)

    await shop.assessments.write([Assessed(KETTLE, assessed(1, 0, quality=0.01, reasons=("spam",)), True)])
    assert await on_redis.similar("mug") == []

    await shop.assessments.remember({"kettle": assessed(1, 0)})
    assert await on_redis.similar("mug") == [("kettle", 1.0)]

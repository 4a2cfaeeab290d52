"""One suite for the `ItemStore` of memory and of Redis, seen through the look-ups."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from fakes import MemoryItems
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from shops import lookups_on

from agents.metrics import Metrics
from agents.ports import ItemOutcome, ItemStore
from app.health import Health
from app.retry import Retry
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from models.contract.events import Item
from models.contract.item_codec import Change, Deleted, RecordPlace, Restocked, Withdrawn
from models.quality.last_good import Kept, Retitled, StoredText
from models.quality.repair import Repair

KETTLE = Item("k1", "Kettle", category="Home/Kitchen", brand="Acme", price=19.99, currency="EUR")
RED = Item("k1", "Kettle, red")
EARLY, LATE = RecordPlace(3, 5, 1_000), RecordPlace(3, 6, 1_001)
Shown = tuple[str | None, str | None, str | None, float | None, str | None, bool]
Look = Callable[[str], Awaitable[Shown | None]]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[PackedRedis]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture(params=["memory", "redis"])
def shop(request: pytest.FixtureRequest, redis: PackedRedis) -> tuple[ItemStore, Look]:
    """Return a store, and a function that looks an item up in it."""
    return in_memory() if request.param == "memory" else in_redis(redis)


def in_memory() -> tuple[ItemStore, Look]:
    store = MemoryItems()

    async def look(item_id: str) -> Shown | None:
        item = store.items.get(item_id)
        if not isinstance(item, Item):
            return None
        texts = item.title or None, item.category or None, item.brand or None
        return *texts, item.price, item.currency or None, item.available

    return store, look


def retry() -> Retry:
    return Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)


def in_redis(redis: PackedRedis) -> tuple[ItemStore, Look]:
    keys = Keys(f"test-{uuid4().hex}:")

    async def look(item_id: str) -> Shown | None:
        item = await lookups_on(redis, keys).item(item_id)
        if item is None:
            return None
        return item.title, item.category, item.brand, item.price, item.currency, item.available

    return RedisItems(redis, keys, retry()), look


async def test_an_upserted_item_can_be_looked_up(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE])
    assert await look("k1") == ("Kettle", "Home/Kitchen", "Acme", 19.99, "EUR", True)


async def test_an_unknown_item_is_none(shop: tuple[ItemStore, Look]) -> None:
    _, look = shop
    assert await look("never heard of") is None


async def test_a_later_upsert_replaces_the_whole_item(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE])
    await store.write([Item("k1", "Kettle, red", available=False)])
    assert await look("k1") == ("Kettle, red", None, None, None, None, False)


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ([KETTLE, Deleted("k1")], None),
        ([Deleted("k1"), KETTLE], "Kettle"),
        ([KETTLE, Deleted("k1"), Item("k1", "Kettle again")], "Kettle again"),
        ([Deleted("k1")], None),
    ],
    ids=["gone", "back", "gone and back", "was never there"],
)
async def test_changes_hold_in_their_order(
    shop: tuple[ItemStore, Look], changes: list[Change], title: str | None
) -> None:
    store, look = shop
    await store.write(changes)
    found = await look("k1")
    assert (found[0] if found else None) == title


async def test_what_is_withdrawn_keeps_all_but_its_availability(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE, Withdrawn("k1"), Withdrawn("k2"), Deleted("k3"), Withdrawn("k3")])
    assert await look("k1") == ("Kettle", "Home/Kitchen", "Acme", 19.99, "EUR", False)
    assert await look("k2") == (None, None, None, None, None, False)
    assert await look("k3") is None


def version(title: str, updated_at: float | None) -> Item:
    return Item("k1", title, updated_at=updated_at)


async def test_what_is_on_sale_again_is_as_it_was_described(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE, Withdrawn("k1"), Restocked("k1")])
    await store.write([Restocked("k2"), Withdrawn("k3"), Restocked("k3"), KETTLE, Deleted("k4"), Restocked("k4")])
    assert await look("k1") == ("Kettle", "Home/Kitchen", "Acme", 19.99, "EUR", True)
    for name in ("k2", "k3", "k4"):
        assert await look(name) == (None, None, None, None, None, True)


async def test_a_notice_of_sale_is_ordered_as_any_other_change(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([version("new", 20.0), Withdrawn("k1", 30.0)], [EARLY, LATE])
    assert await store.write([Restocked("k1", 25.0)], [RecordPlace(3, 7, 1_002)]) == [ItemOutcome.OUTDATED]
    assert await store.write([Restocked("k1", 40.0)], [EARLY]) == [ItemOutcome.OVERTAKEN]
    assert await store.write([Restocked("k1", 40.0)], [RecordPlace(3, 8, 1_003)]) == [ItemOutcome.DONE]
    assert await store.write([Withdrawn("k1", 35.0)], [RecordPlace(3, 9, 1_004)]) == [ItemOutcome.OUTDATED]
    assert ((await look("k1")) or [None])[0] == "new"
    assert ((await look("k1")) or [None])[-1] is True


async def test_writing_the_same_twice_changes_nothing(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE, Deleted("k2")])
    once = await look("k1"), await look("k2")
    await store.write([KETTLE, Deleted("k2")])
    assert (await look("k1"), await look("k2")) == once


async def test_no_changes_are_no_obstacle(shop: tuple[ItemStore, Look]) -> None:
    store, _ = shop
    await store.write([])


@pytest.mark.parametrize("item_id", ["a}b{c", "é 商", "x" * 128])
async def test_any_item_id_is_kept_apart(shop: tuple[ItemStore, Look], item_id: str) -> None:
    store, look = shop
    await store.write([Item(item_id, "é 商 🦆")])
    found = await look(item_id)
    assert found is not None
    assert found[0] == "é 商 🦆"


async def test_a_deleted_item_leaves_a_mark_for_lists_that_still_show_it(redis: PackedRedis) -> None:
    store, _ = in_redis(redis)
    assert isinstance(store, RedisItems)
    await store.write([KETTLE, Deleted("k1")])
    fields = await redis.hgetall(f"{store.keys.prefix}item:{{k1}}")
    assert (fields[b"available"], fields[b"deleted"]) == (b"0", b"1")


async def test_a_change_that_comes_after_a_later_one_changes_nothing(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    assert await store.write([RED], [LATE]) == [ItemOutcome.DONE]
    assert await store.write([KETTLE, Item("k2", "Cup")], [EARLY, EARLY]) == [ItemOutcome.OVERTAKEN, ItemOutcome.DONE]
    assert await store.write([Deleted("k1")], [EARLY]) == [ItemOutcome.OVERTAKEN]
    assert await store.write([Withdrawn("k1")], [EARLY]) == [ItemOutcome.OVERTAKEN]
    assert [(await look(item_id) or [None])[0] for item_id in ("k1", "k2")] == ["Kettle, red", "Cup"]
    assert (await look("k1") or [False])[-1]


async def test_a_withdrawal_overtakes_too(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE, Withdrawn("k1")], [EARLY, LATE])
    assert await store.write([KETTLE], [EARLY]) == [ItemOutcome.OVERTAKEN]
    assert (await look("k1") or [True])[-1] is False


@pytest.mark.parametrize("notice", [Withdrawn("k1"), Restocked("k1")])
async def test_a_notice_of_an_item_that_is_not_there_does_not_keep_the_item_out(
    shop: tuple[ItemStore, Look], notice: Withdrawn | Restocked
) -> None:
    store, look = shop
    await store.write([notice], [LATE])
    assert await store.write([KETTLE, notice], [EARLY, LATE]) == [ItemOutcome.DONE] * 2
    assert await look("k1") == ("Kettle", "Home/Kitchen", "Acme", 19.99, "EUR", isinstance(notice, Restocked))


@pytest.mark.parametrize(
    "place",
    [LATE, RecordPlace(3, 7, 1_000), RecordPlace(3, 0, 1_002), RecordPlace(2, 5, 999)],
    ids=["the same record", "a clock that went back", "a topic made again", "another partition"],
)
async def test_what_is_not_earlier_in_the_log_is_written(shop: tuple[ItemStore, Look], place: RecordPlace) -> None:
    store, look = shop
    await store.write([KETTLE], [LATE])
    assert await store.write([RED], [place]) == [ItemOutcome.DONE]
    assert (await look("k1") or [None])[0] == "Kettle, red"


async def test_look_ups_show_what_was_repaired(redis: PackedRedis) -> None:
    keys = Keys(f"test-{uuid4().hex}:")
    store = RedisItems(redis, keys, retry())
    mended = Repair("title", "white_space", " Kettle", "Kettle", 1.0)
    await store.write([KETTLE, Item("k2", "Cup")], [EARLY, EARLY], [(mended,), ()])
    found = [await lookups_on(redis, keys).item(each) for each in ("k1", "k2")]
    assert [each.repairs for each in found if each] == [
        ({"field": "title", "rule": "white_space", "before": " Kettle", "after": "Kettle", "confidence": 1.0},),
        (),
    ]
    await store.write([KETTLE], [LATE], [()])
    found = [await lookups_on(redis, keys).item("k1")]
    assert [each.repairs for each in found if each] == [()]


async def test_titles_are_read_with_where_they_are_from(shop: tuple[ItemStore, Look]) -> None:
    store, _ = shop
    kept = replace(KETTLE, title="Cup")
    await store.write([Deleted("k1"), KETTLE, Item("k2", "Pot")], [EARLY, EARLY, EARLY])
    await store.write([kept], [LATE], [()], {0: Kept(EARLY, "damages", "remark")})
    assert await store.titles(["k1", "k2", "k3"]) == [
        StoredText("Cup", LATE, EARLY, "damages", EARLY),
        StoredText("Pot", EARLY),
        StoredText(),
    ]
    await store.write([Deleted("k2")], [LATE])
    assert await store.titles(["k2"]) == [StoredText(place=LATE, deletion=LATE)]


async def test_a_title_is_replaced_only_in_the_record_that_it_is_for(shop: tuple[ItemStore, Look]) -> None:
    store, look = shop
    await store.write([KETTLE], [LATE])
    await store.retitle([Retitled("k1", EARLY, "Cup", EARLY, "Kettle", ())])
    assert await look("k1") == ("Kettle", "Home/Kitchen", "Acme", 19.99, "EUR", True)
    await store.retitle([Retitled("k1", LATE, "Cup", EARLY, "Kettle", ())])
    assert await look("k1") == ("Cup", "Home/Kitchen", "Acme", 19.99, "EUR", True)
    assert await store.titles(["k1"]) == [StoredText("Cup", LATE, EARLY, "Kettle")]
    await store.retitle([Retitled("k1", LATE, "Kettle", None, "", ())])
    assert await store.titles(["k1"]) == [StoredText("Kettle", LATE)]


@pytest.mark.parametrize(
    ("changes", "title", "available"),
    [
        ([version("new", 20.0), version("old", 10.0)], "new", True),
        ([version("old", 10.0), version("new", 20.0)], "new", True),
        ([version("one", 10.0), version("other", 10.0)], "other", True),
        ([version("new", 20.0), version("undated", None)], "undated", True),
        ([version("new", 20.0), version("undated", None), version("old", 10.0)], "undated", True),
        ([version("undated", None), version("old", 10.0)], "old", True),
        ([version("new", 20.0), Withdrawn("k1", 10.0)], "new", True),
        ([version("new", 20.0), Withdrawn("k1")], "new", False),
        ([version("old", 10.0), Withdrawn("k1", 20.0), version("older", 15.0)], "old", False),
        ([version("new", 20.0), Deleted("k1"), version("again", 10.0)], "again", True),
    ],
    ids=lambda value: " then ".join(type(each).__name__ for each in value) if isinstance(value, list) else None,
)
async def test_an_older_version_never_overwrites_a_newer_one(
    shop: tuple[ItemStore, Look], changes: list[Change], title: str, available: bool
) -> None:
    store, look = shop
    await store.write(changes)
    found = await look("k1")
    assert found is not None
    assert (found[0], found[-1]) == (title, available)


async def test_what_is_older_is_told_from_what_is_overtaken(shop: tuple[ItemStore, Look]) -> None:
    store, _ = shop
    later = RecordPlace(3, 7, 1_002)
    found = await store.write([version("a", 20.0), version("b", 10.0), version("c", 30.0)], [LATE, later, EARLY])
    assert found == [ItemOutcome.DONE, ItemOutcome.OUTDATED, ItemOutcome.OVERTAKEN]


async def test_an_item_without_a_title_is_kept_with_its_addresses(redis: PackedRedis) -> None:
    keys = Keys(f"test-{uuid4().hex}:")
    item = Item(
        "k1", "", category="Home", price=5.0, url="https://shop.example/k1", image_url="https://cdn.example/1.jpg"
    )
    await RedisItems(redis, keys, retry()).write([item])
    found = await lookups_on(redis, keys).item("k1")
    assert found is not None
    assert (found.title, found.category, found.price) == (None, "Home", 5.0)
    assert (found.url, found.image_url) == ("https://shop.example/k1", "https://cdn.example/1.jpg")

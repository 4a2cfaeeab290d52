"""The catalogue: what the owner of an item stores, and what every worker follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from asking import rankings
from builders import NOW, Fields, batch, item, teach
from fakes import Away, Diary, MemoryItems, MemoryOutbox
from prometheus_client import CollectorRegistry

from agents.catalogue import FollowCatalogue, KeepCatalogue
from agents.metrics import Metrics, total
from models.contract.event_codec import EventSettings
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Deleted
from models.contract.outcome import Reason
from models.profile import Profile
from models.recommender import Recommender, RecommenderSettings

OUTCOMES = ("upserted", "withdrawn", "restocked", "deleted", "outdated", "quarantined")


def changes(*values: Fields | bytes | None) -> RawBatch:
    """Records of `items`; a deletion's key is k and its place in the batch."""
    return batch(*values, topic="items", partition=2)


class CatalogueAgent:
    """The agent of `items` with its surroundings."""

    def __init__(self) -> None:
        self.diary = Diary()
        self.store = MemoryItems(self.diary)
        self.outbox = MemoryOutbox(self.diary)
        self.metrics = Metrics(CollectorRegistry())
        self.keep = KeepCatalogue(EventSettings(), self.store, self.outbox, self.metrics)


@dataclass
class MemoryStoredMarks:
    """The `StoredMarks` of a store that is restored: writes down what it is told, and when."""

    diary: Diary
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def mark_start(self, partition: int) -> None:
        self.diary.entries.append(f"start of {partition}")

    async def mark_stored(self, partition: int, offset: int) -> None:
        self.diary.entries.append(f"{partition} stored up to {offset}")


@pytest.fixture
def shop() -> CatalogueAgent:
    return CatalogueAgent()


async def test_upserts_and_deletions_are_stored_in_their_order(shop: CatalogueAgent) -> None:
    await shop.keep.handle(changes(item("a", title="old"), item("k3"), item("a", title="new"), None))
    assert shop.store.items == {"a": Item("a", "new"), "k3": Deleted("k3")}


async def test_what_cannot_be_kept_goes_to_quarantine_after_the_store(shop: CatalogueAgent) -> None:
    await shop.keep.handle(changes(item("a"), b"{", item("b", title="")))
    assert shop.diary.entries == ["store", "quarantine"]
    assert [each.reason for each in shop.outbox.quarantined] == [Reason.MALFORMED_JSON, Reason.MISSING_FIELD]
    assert [each.topic for each in shop.outbox.quarantined] == ["items", "items"]


async def test_the_marks_are_told_before_a_batch_is_stored_and_once_all_of_it_is(shop: CatalogueAgent) -> None:
    marks = MemoryStoredMarks(shop.diary)
    keep = KeepCatalogue(EventSettings(), shop.store, shop.outbox, shop.metrics, marks=marks)
    await keep.handle(changes(item("a"), b"{"))
    assert shop.diary.entries == ["start of 2", "store", "quarantine", "2 stored up to 2"]


async def test_nothing_is_stored_while_a_restore_holds_the_lock(shop: CatalogueAgent) -> None:
    marks = MemoryStoredMarks(shop.diary)
    keep = KeepCatalogue(EventSettings(), shop.store, shop.outbox, shop.metrics, marks=marks)
    async with marks.lock:
        handled = asyncio.create_task(keep.handle(changes(item("a"))))
        while not shop.diary.entries:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert shop.store.items == {}
    await handled
    assert shop.store.items == {"a": Item("a", "Title of a")}


async def test_while_the_store_is_away_nothing_is_quarantined_or_counted(shop: CatalogueAgent) -> None:
    shop.store.away = True
    with pytest.raises(Away):
        await shop.keep.handle(changes(item("a"), b"{"))
    assert shop.outbox.quarantined == []
    assert total(shop.metrics.items) == 0


async def test_every_record_is_upserted_withdrawn_deleted_or_quarantined(shop: CatalogueAgent) -> None:
    raw = changes(
        item("a"),
        None,
        b"{",
        item("b"),
        b"[]",
        b"{",
        {"item_id": "a", "available": False},
        {"item_id": "a", "available": 1},
    )
    await shop.keep.handle(raw)
    outcomes = {name: total(shop.metrics.items, outcome=name) for name in OUTCOMES}
    assert outcomes == {"upserted": 2, "withdrawn": 1, "restocked": 1, "deleted": 1, "outdated": 0, "quarantined": 3}
    assert sum(outcomes.values()) == len(raw)
    assert total(shop.metrics.rejected, kind="item", reason="malformed_json") == 2


async def test_a_sold_out_notice_beside_a_broken_field_is_stored_and_quarantined_and_counts_once(
    shop: CatalogueAgent,
) -> None:
    raw = changes(item("a", available=0, price="19,99"), item("b", available="in stock"))
    await shop.keep.handle(changes(item("a", price=19.5)))
    await shop.keep.handle(raw)
    withdrawn = Item("a", "Title of a", price=19.5, available=False)
    assert shop.store.items == {"a": withdrawn, "b": Item("b", "Title of b")}
    assert [each.reason for each in shop.outbox.quarantined] == [Reason.WRONG_TYPE]
    outcomes = {name: total(shop.metrics.items, outcome=name) for name in OUTCOMES}
    assert outcomes == {"upserted": 2, "withdrawn": 0, "restocked": 0, "deleted": 0, "outdated": 0, "quarantined": 1}
    assert total(shop.metrics.rejected, kind="item", reason="wrong_type") == 1
    assert total(shop.metrics.coerced, field="available") == 2


async def test_an_outdated_version_is_counted_as_such_and_changes_nothing(shop: CatalogueAgent) -> None:
    old: Fields = {"updated_at": NOW - 5, "title": "old"}
    await shop.keep.handle(changes(item("a", updated_at=NOW), item("a", **old), item("b", **old)))
    assert {item_id: each.title for item_id, each in shop.store.items.items() if isinstance(each, Item)} == {
        "a": "Title of a",
        "b": "old",
    }
    assert [total(shop.metrics.items, outcome=name) for name in ("upserted", "outdated")] == [2, 1]


async def test_ignored_fields_are_counted(shop: CatalogueAgent) -> None:
    await shop.keep.handle(changes(item("a", color="red"), item("b", title=7, size="L"), item("c")))
    assert total(shop.metrics.unknown_fields) == 1


async def test_the_agent_takes_one_batch_after_the_other_from_its_stream(shop: CatalogueAgent) -> None:
    async def stream() -> AsyncIterator[RawBatch]:
        yield changes(item("a"))
        yield changes(item("b"))

    await shop.keep.run(stream())
    assert set(shop.store.items) == {"a", "b"}


def shown(recommender: Recommender) -> tuple[str, ...]:
    [ranking] = rankings(recommender, [Profile()])
    return ranking.item_ids


def test_a_follower_tells_the_recommender_of_every_change_at_once() -> None:
    recommender = Recommender(RecommenderSettings())
    gone: list[str] = []
    follow = FollowCatalogue(EventSettings(), recommender, gone.append)
    teach(recommender, {"s1": ["a", "b", "k0"]})
    follow.handle(changes(item("a"), item("b"), item("k0")))
    seen = [set(shown(recommender))]
    for change in (item("a", available=False), item("a"), None, item("k0")):
        follow.handle(changes(change))
        seen.append(set(shown(recommender)))
    everything = {"a", "b", "k0"}
    assert seen == [everything, {"b", "k0"}, everything, {"a", "b"}, everything]
    assert gone == ["a", "k0"]


def test_a_withdrawn_item_is_shown_no_more_and_keeps_its_category() -> None:
    recommender = Recommender(RecommenderSettings())
    gone: list[str] = []
    follow = FollowCatalogue(EventSettings(), recommender, gone.append)
    teach(recommender, {"s1": ["a", "b"]})
    follow.handle(changes(item("b"), item("a", category="Home"), {"item_id": "a", "available": False}))
    assert shown(recommender) == ("b",)
    assert gone == ["a"]
    catalogue = recommender.catalogue
    assert catalogue.categories.names[catalogue.category_of(recommender.items.number("a"))] == "Home"


def test_an_item_that_is_on_sale_again_is_shown_with_its_category() -> None:
    recommender = Recommender(RecommenderSettings())
    follow = FollowCatalogue(EventSettings(), recommender, lambda _: None)
    teach(recommender, {"s1": ["a", "b"]})
    follow.handle(changes(item("a", category="Home"), {"item_id": "a", "available": False}))
    assert shown(recommender) == ()
    follow.handle(changes({"item_id": "a", "available": "in stock"}, {"item_id": "b", "available": True}))
    assert set(shown(recommender)) == {"a", "b"}
    catalogue = recommender.catalogue
    assert catalogue.categories.names[catalogue.category_of(recommender.items.number("a"))] == "Home"
    assert len(catalogue) == 2


def test_an_item_that_is_sold_out_beside_a_broken_field_is_shown_no_more() -> None:
    recommender = Recommender(RecommenderSettings())
    gone: list[str] = []
    follow = FollowCatalogue(EventSettings(), recommender, gone.append)
    teach(recommender, {"s1": ["a", "b"]})
    follow.handle(changes(item("a", available="out of stock", currency=978)))
    assert shown(recommender) == ("b",)
    assert gone == ["a"]


def test_a_follower_passes_over_what_is_older_than_what_it_knows() -> None:
    recommender = Recommender(RecommenderSettings())
    teach(recommender, {"s1": ["a", "k0"]})
    follow = FollowCatalogue(EventSettings(), recommender, lambda _: None)
    follow.handle(changes(item("k0", updated_at=NOW), item("a", updated_at=NOW, category="Home")))
    follow.handle(
        changes(
            item("a", updated_at=NOW - 1, available=False),
            {"item_id": "a", "available": False} | {"updated_at": NOW - 2},
        )
    )
    assert set(shown(recommender)) == {"a", "k0"}
    follow.handle(changes(None, item("k0", updated_at=NOW - 1)))
    assert set(shown(recommender)) == {"a", "k0"}
    follow.handle(changes({"item_id": "a", "available": False, "updated_at": NOW}, item("a", updated_at=NOW - 1)))
    assert shown(recommender) == ("k0",)


def test_an_item_goes_away_once() -> None:
    gone: list[str] = []
    follow = FollowCatalogue(EventSettings(), Recommender(RecommenderSettings()), gone.append)
    follow.handle(changes(item("k1"), None, None, item("k1", available=False), item("b", available=False)))
    assert gone == ["k1", "k2", "b"]


def test_a_follower_passes_over_what_the_owner_quarantines() -> None:
    recommender = Recommender(RecommenderSettings())
    teach(recommender, {"s1": ["a", "b"]})
    follow = FollowCatalogue(EventSettings(), recommender, lambda _: None)
    follow.handle(changes(b"{", item("a", available=False), b"\xff", item("b")))
    assert shown(recommender) == ("b",)


def test_unknown_items_leave_the_lists_with_the_first_item_of_a_catalogue_and_come_with_their_own() -> None:
    recommender = Recommender(RecommenderSettings())
    gone: list[str] = []
    follow = FollowCatalogue(EventSettings(), recommender, gone.append)
    teach(recommender, {"s1": ["a"], "s2": ["b"], "s3": ["c"]})
    listed = [shown(recommender)]
    for change in (item("a"), item("b"), item("c", available=False), {"item_id": "a", "available": False}):
        follow.handle(changes(change))
        listed.append(shown(recommender))
    assert listed == [("a", "b", "c"), ("a",), ("a", "b"), ("a", "b"), ("b",)]
    # A list may hold c from the time before the catalogue.
    assert gone == ["c", "a"]


async def test_repaired_texts_are_stored_with_what_was_repaired_and_counted() -> None:
    agent = CatalogueAgent()
    await agent.keep.handle(changes({"item_id": "1", "title": "Salt &amp; pepper", "category": "Home  &amp; Garden"}))
    stored = agent.store.items["1"]
    assert isinstance(stored, Item)
    assert (stored.title, stored.category) == ("Salt & pepper", "Home & Garden")
    assert [each.field for each in agent.store.repairs["1"]] == ["title", "category", "category"]
    assert total(agent.metrics.repairs, rule="entities") == 2


def test_lists_know_categories_as_they_are_stored() -> None:
    recommender = Recommender(RecommenderSettings())
    follow = FollowCatalogue(EventSettings(), recommender, lambda _: None)
    follow.handle(changes({"item_id": "1", "title": "Mug", "category": "Home &amp; Garden"}))
    assert recommender.catalogue.categories.names == ["Home & Garden"]

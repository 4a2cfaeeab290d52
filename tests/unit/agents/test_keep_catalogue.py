"""The catalogue: what the owner of an item stores, and what every worker follows."""

from collections.abc import AsyncIterator

import pytest
from asking import rankings
from builders import Fields, batch, item, teach
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

OUTCOMES = ("upserted", "withdrawn", "deleted", "quarantined")


def changes(*values: Fields | bytes | None) -> RawBatch:
    """Records of `items`; a deletion's key is k and its place in the batch."""
    return batch(*values, topic="items", partition=2)


class Shop:
    """The agent of `items` with its surroundings."""

    def __init__(self) -> None:
        self.diary = Diary()
        self.store = MemoryItems(self.diary)
        self.outbox = MemoryOutbox(self.diary)
        self.metrics = Metrics(CollectorRegistry())
        self.keep = KeepCatalogue(EventSettings(), self.store, self.outbox, self.metrics)


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_upserts_and_deletions_are_stored_in_their_order(shop: Shop) -> None:
    await shop.keep.handle(changes(item("a", title="old"), item("k3"), item("a", title="new"), None))
    assert shop.store.items == {"a": Item("a", "new"), "k3": Deleted("k3")}


async def test_what_cannot_be_kept_goes_to_quarantine_after_the_store(shop: Shop) -> None:
    await shop.keep.handle(changes(item("a"), b"{", item("b", title="")))
    assert shop.diary.entries == ["store", "quarantine"]
    assert [each.reason for each in shop.outbox.quarantined] == [Reason.MALFORMED_JSON, Reason.MISSING_FIELD]
    assert [each.topic for each in shop.outbox.quarantined] == ["items", "items"]


async def test_while_the_store_is_away_nothing_is_quarantined_or_counted(shop: Shop) -> None:
    shop.store.away = True
    with pytest.raises(Away):
        await shop.keep.handle(changes(item("a"), b"{"))
    assert shop.outbox.quarantined == []
    assert total(shop.metrics.items) == 0


async def test_every_record_is_upserted_withdrawn_deleted_or_quarantined(shop: Shop) -> None:
    raw = changes(item("a"), None, b"{", item("b"), b"[]", b"{", {"item_id": "a", "available": False})
    await shop.keep.handle(raw)
    outcomes = {name: total(shop.metrics.items, outcome=name) for name in OUTCOMES}
    assert outcomes == {"upserted": 2, "withdrawn": 1, "deleted": 1, "quarantined": 3}
    assert sum(outcomes.values()) == len(raw)
    assert total(shop.metrics.rejected, kind="item", reason="malformed_json") == 2


async def test_the_agent_takes_one_batch_after_the_other_from_its_stream(shop: Shop) -> None:
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
    follow.handle(changes(item("a", category="Home"), {"item_id": "a", "available": False}))
    assert shown(recommender) == ("b",)
    assert gone == ["a"]
    catalogue = recommender.catalogue
    assert catalogue.categories.names[catalogue.category_of(recommender.items.number("a"))] == "Home"


def test_an_item_goes_away_once() -> None:
    gone: list[str] = []
    follow = FollowCatalogue(EventSettings(), Recommender(RecommenderSettings()), gone.append)
    follow.handle(changes(item("k1"), None, None, item("k1", available=False), item("b", available=False)))
    assert gone == ["k1", "k2", "b"]


def test_a_follower_passes_over_what_the_owner_quarantines() -> None:
    recommender = Recommender(RecommenderSettings())
    teach(recommender, {"s1": ["a", "b"]})
    follow = FollowCatalogue(EventSettings(), recommender, lambda _: None)
    follow.handle(changes(b"{", item("a", available=False), b"\xff"))
    assert shown(recommender) == ("b",)

"""Lists are corrected as soon as an item may not be shown any more."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
import orjson
import pytest
from builders import NOW, teach
from fakes import ManualClock, MemoryOutbox, MemoryUsers
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics, total
from agents.refresh import Refresh
from models.contract.events import Item, Kind
from models.profile import Event, Profile, ProfileSettings, step
from models.recommender import Asker, Recommender, RecommenderSettings
from models.shown import Holder, Shown

UNTOUCHED = b"as it was"


class TwoUsers:
    """Two users with lists: u1 saw the pan, u2 saw the novel."""

    def __init__(self) -> None:
        self.recommender = Recommender(RecommenderSettings())
        teach(self.recommender, {"s1": ["pan", "pot"], "s2": ["novel", "atlas"]})
        self.users, self.outbox = MemoryUsers(), MemoryOutbox()
        self.shown = Shown(self.recommender.items, 20, 100)
        self.metrics = Metrics(CollectorRegistry())
        self.refresh = Refresh(
            self.recommender,
            self.shown,
            self.users,
            self.outbox,
            self.metrics,
            ManualClock(NOW + 60),
            asyncio.Lock(),
        )
        for partition, (user_id, item_id) in enumerate({"u1": "pan", "u2": "novel"}.items()):
            profile = step(Profile(), [Event(NOW, int(Kind.VIEW), item_id, "views-0", 0)], ProfileSettings())
            self.users.profiles[user_id] = profile
            [ranking] = self.recommender.recommend([Asker(profile, 0)])
            self.shown.put(Holder(user_id, partition, 0), ranking.item_ids)
            self.users.lists[user_id] = UNTOUCHED

    async def loses(self, *item_ids: str) -> None:
        for item_id in self.recommender.items.names:
            self.recommender.catalogue.upsert(Item(item_id, "title", available=item_id not in item_ids))
        self.recommender.catalogue_changed()
        await self.refresh.handle(set(item_ids))

    def corrected(self) -> set[str]:
        return {user_id for user_id, stored in self.users.lists.items() if stored != UNTOUCHED}

    def listed(self, user_id: str) -> set[str]:
        return {each["item_id"] for each in orjson.loads(self.users.lists[user_id])["items"]}


@pytest.fixture
def shop() -> TwoUsers:
    return TwoUsers()


async def test_lists_that_hold_the_item_are_written_and_emitted_without_it(shop: TwoUsers) -> None:
    await shop.loses("pot")
    assert shop.listed("u1") == {"novel", "atlas"}
    assert shop.listed("u2") == {"pan", "atlas"}
    emitted = shop.outbox.recommendations_log
    assert {partition: dict(records) for partition, records in emitted.items()} == {
        0: {"u1": shop.users.lists["u1"]},
        1: {"u2": shop.users.lists["u2"]},
    }
    assert total(shop.metrics.recommendations) == 2


async def test_only_lists_that_hold_the_item_are_touched(shop: TwoUsers) -> None:
    await shop.loses("pan")
    assert shop.corrected() == {"u2"}


async def test_a_corrected_list_tells_when_it_was_made_and_leaves_the_profile_alone(shop: TwoUsers) -> None:
    before = dict(shop.users.profiles)
    await shop.loses("pot")
    body = orjson.loads(shop.users.lists["u1"])
    assert (body["event_ts"], body["generated_at"]) == (NOW, NOW + 60)
    assert shop.users.profiles == before


async def test_a_list_that_was_corrected_is_not_corrected_again(shop: TwoUsers) -> None:
    await shop.loses("pot")
    shop.users.lists.update(u1=UNTOUCHED, u2=UNTOUCHED)
    await shop.loses("pot")
    assert shop.corrected() == set()


async def test_items_that_went_away_are_handled_as_they_come(shop: TwoUsers) -> None:
    running = asyncio.create_task(shop.refresh.run())
    for item_id in shop.recommender.items.names:
        shop.recommender.catalogue.upsert(Item(item_id, "title"))
    for item_id in ("pot", "atlas"):
        shop.recommender.catalogue.delete(item_id)
        shop.refresh.gone.put_nowait(item_id)
    shop.recommender.catalogue_changed()
    async with asyncio.timeout(5):
        while len(shop.corrected()) < 2:
            await asyncio.sleep(0)
    running.cancel()
    assert shop.listed("u1") == {"novel"}
    assert shop.listed("u2") == {"pan"}


async def test_a_correction_waits_for_its_turn(shop: TwoUsers) -> None:
    async with shop.refresh.turn:
        correcting = asyncio.create_task(shop.loses("pot"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert shop.corrected() == set()
    await correcting
    assert shop.corrected() == {"u1", "u2"}


async def test_a_list_that_was_being_stored_while_its_item_went_away_is_corrected_too(shop: TwoUsers) -> None:
    shop.shown.forget()
    async with shop.refresh.turn:
        correcting = asyncio.create_task(shop.loses("pot"))
        for _ in range(20):
            await asyncio.sleep(0)
        shop.shown.put(Holder("u1", 0, 0), ["pot", "atlas"])
    await correcting
    assert "pot" not in shop.listed("u1")


async def test_users_that_moved_to_another_worker_during_a_correction_are_left_to_it(shop: TwoUsers) -> None:
    load = shop.users.load

    async def load_and_rebalance(user_ids: Sequence[str]) -> Mapping[str, Profile]:
        shop.shown.forget()
        return await load(user_ids)

    shop.users.load = load_and_rebalance  # type: ignore[method-assign]  # a rebalance in the middle of the wait
    await shop.loses("pot")
    assert shop.corrected() == set()
    assert shop.shown.holders_of(np.arange(10, dtype=np.int32)) == []


async def test_a_user_whose_list_has_expired_gets_none(shop: TwoUsers) -> None:
    del shop.users.lists["u1"]
    await shop.loses("pot")
    assert set(shop.users.lists) == {"u2"}
    assert [user for log in shop.outbox.recommendations_log.values() for user, _ in log] == ["u2"]
    assert total(shop.metrics.recommendations) == 1


async def test_a_user_whose_profile_has_expired_is_left_alone(shop: TwoUsers) -> None:
    del shop.users.profiles["u1"]
    await shop.loses("pot")
    assert shop.corrected() == {"u2"}
    assert [user for log in shop.outbox.recommendations_log.values() for user, _ in log] == ["u2"]

"""Lists are corrected as soon as an item may not be shown any more."""

import asyncio
from collections.abc import Sequence

import numpy as np
import orjson
import pytest
from asking import requests_for, stored
from builders import NOW, teach
from fakes import ManualClock, MemoryOutbox
from memory_users import MemoryUsers
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics, total
from agents.refresh import Refresh
from agents.users import load_users
from models.contract.events import Item, Kind
from models.processor import ListMaker
from models.profile import Profile, Seen
from models.recommender import Recommender, RecommenderSettings
from models.shown import NOTHING, Shown
from models.users.revision import REVISION
from models.users.stored import StoredFields

UNTOUCHED = b"as it was"


class TwoUsers:
    """Two users with lists: u1 saw the pan, u2 saw the novel."""

    def __init__(self) -> None:
        self.recommender = Recommender(RecommenderSettings())
        teach(self.recommender, {"s1": ["pan", "pot"], "s2": ["novel", "atlas"]})
        self.users, self.outbox = MemoryUsers(), MemoryOutbox()
        self.shown = Shown(20, 100)
        self.metrics = Metrics(CollectorRegistry())
        self.refresh = Refresh(
            maker=ListMaker.of(self.recommender, 100),
            shown=self.shown,
            users=self.users,
            outbox=self.outbox,
            metrics=self.metrics,
            clock=ManualClock(NOW + 60),
            write_lock=asyncio.Lock(),
            emit_lock=asyncio.Lock(),
        )
        for partition, (user_id, item_id) in enumerate({"u1": "pan", "u2": "novel"}.items()):
            profile = Profile(recent=(Seen(NOW, int(Kind.VIEW), item_id),))
            self.users.fields |= stored({user_id: profile})
            lists = self.recommender.recommend(requests_for(self.recommender, [profile]))
            self.shown.put([user_id], partition, np.zeros(1, np.uint64), lists.items)
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


async def test_a_list_that_another_write_overtook_follows_from_the_newer_profile(shop: TwoUsers) -> None:
    await load_users(shop.refresh.maker.table, shop.users, ["u1"])
    newer = Profile(recent=(Seen(NOW + 5, int(Kind.VIEW), "novel"), Seen(NOW, int(Kind.VIEW), "pan")))
    shop.users.fields["u1"] = {**stored({"u1": newer})["u1"], REVISION: b"\0\0\0\1another"[:8]}
    await shop.loses("pot")
    assert orjson.loads(shop.users.lists["u1"])["event_ts"] == NOW + 5
    assert shop.listed("u1") == {"atlas", "pan"}
    assert total(shop.metrics.refused_writes, what="list") == 1


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
    async with shop.refresh.write_lock:
        correcting = asyncio.create_task(shop.loses("pot"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert shop.corrected() == set()
    await correcting
    assert shop.corrected() == {"u1", "u2"}


async def test_a_list_that_was_being_stored_while_its_item_went_away_is_corrected_too(shop: TwoUsers) -> None:
    numbers = shop.recommender.items.numbers(["pot", "atlas"])
    shop.shown.forget()
    async with shop.refresh.write_lock:
        correcting = asyncio.create_task(shop.loses("pot"))
        for _ in range(20):
            await asyncio.sleep(0)
        listed = np.full((1, 20), NOTHING, np.int32)
        listed[0, :2] = numbers
        shop.shown.put(["u1"], 0, np.zeros(1, np.uint64), listed)
    await correcting
    assert "pot" not in shop.listed("u1")


async def test_users_that_moved_to_another_worker_during_a_correction_are_left_to_it(shop: TwoUsers) -> None:
    load = shop.users.load

    async def load_and_rebalance(user_ids: Sequence[str]) -> list[StoredFields]:
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
    del shop.users.fields["u1"]
    await shop.loses("pot")
    assert shop.corrected() == {"u2"}
    assert [user for log in shop.outbox.recommendations_log.values() for user, _ in log] == ["u2"]

"""Work that grows is done in steps, and others go on between two of them. What is counted here is
work, not time.
"""

import asyncio

import numpy as np
import pytest
from asking import stored
from builders import NOW, batch, event
from event_bench import Bench
from fakes import ManualClock, MemoryOutbox
from memory_users import MemoryUsers
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

import models.recommender
from agents.metrics import Metrics
from agents.refresh import USERS_AT_ONCE, Refresh
from models.contract.events import Item, Kind
from models.processor import ListMaker
from models.profile import Profile, Seen
from models.ranking.lists import RankedLists
from models.recommender import COMPARED_AT_ONCE, FEWEST_USERS_AT_ONCE, Recommender, RecommenderSettings
from models.shown import NOTHING, Holders, Shown
from models.users.gather import ListRequests


class CountingRecommender(Recommender):
    """Counts for how many users it was asked since another task had its turn."""

    since_last_turn = 0
    most = 0

    def recommend(self, requests: ListRequests, tastes: NDArray[np.float32] | None = None) -> RankedLists:
        self.since_last_turn += requests.users
        self.most = max(self.most, self.since_last_turn)
        return super().recommend(requests, tastes)

    async def take_turns(self) -> None:
        while True:
            self.since_last_turn = 0
            await asyncio.sleep(0)


class CountingShown(Shown):
    """Counts the lists that are looked through for items, and the holders that are found."""

    looked_at = 0
    steps: list[int]

    def find_holders(self, marked: NDArray[np.bool_], first: int, most: int) -> Holders:
        found = super().find_holders(marked, first, most)
        self.looked_at += found.after - first
        self.steps.append(len(found.found))
        return found


class Withdrawal:
    """Users whose lists show one item each that goes away, and `others` that nobody is shown."""

    def __init__(self, users: int, others: int) -> None:
        self.recommender = Recommender(RecommenderSettings())
        self.gone = [f"gone {number}" for number in range(users + others)]
        numbers = self.recommender.items.numbers([*self.gone, "left"])
        self.users, self.outbox, self.shown = MemoryUsers(), MemoryOutbox(), CountingShown(20, users)
        self.shown.steps = []
        names = [f"u{number}" for number in range(users)]
        self.users.fields |= stored({name: Profile(recent=(Seen(NOW, int(Kind.VIEW), "left"),)) for name in names})
        self.users.lists |= dict.fromkeys(names, b"as it was")
        rows = np.full((users, 20), NOTHING, np.int32)
        rows[:, 0] = numbers[:users]
        self.shown.put(names, 0, np.zeros(users, np.uint64), rows)
        self.refresh = Refresh(
            maker=ListMaker.of(self.recommender, users),
            shown=self.shown,
            users=self.users,
            outbox=self.outbox,
            metrics=Metrics(CollectorRegistry()),
            clock=ManualClock(NOW),
            write_lock=asyncio.Lock(),
            emit_lock=asyncio.Lock(),
        )
        for item_id in self.gone:
            self.recommender.catalogue.withdraw(item_id)
        self.recommender.catalogue.upsert(Item("left", "title"))
        self.recommender.catalogue_changed()

    def written(self) -> list[str]:
        return [user for log in self.outbox.recommendations_log.values() for user, _ in log]


@pytest.mark.parametrize("others", [0, 5_000])
async def test_each_list_is_looked_at_once_however_many_items_go_away(others: int) -> None:
    shop = Withdrawal(users=220, others=others)
    await shop.refresh.handle(set(shop.gone))
    assert shop.shown.looked_at == 220
    assert shop.shown.steps == [USERS_AT_ONCE] * 4 + [20]
    assert sorted(shop.written()) == sorted(f"u{number}" for number in range(220))


async def test_a_batch_that_waits_gets_its_turn_between_two_steps_of_a_correction() -> None:
    shop = Withdrawal(users=4 * USERS_AT_ONCE, others=0)
    correcting = asyncio.create_task(shop.refresh.handle(set(shop.gone)))
    await asyncio.sleep(0)
    async with shop.refresh.write_lock:
        assert len(shop.written()) == USERS_AT_ONCE
    await correcting
    assert len(shop.written()) == 4 * USERS_AT_ONCE


async def test_an_item_that_comes_back_during_a_correction_stays_in_the_lists_that_follow() -> None:
    shop = Withdrawal(users=2 * USERS_AT_ONCE, others=0)
    correcting = asyncio.create_task(shop.refresh.handle(set(shop.gone)))
    await asyncio.sleep(0)
    async with shop.refresh.write_lock:
        for item_id in shop.gone:
            shop.recommender.catalogue.upsert(Item(item_id, "title"))
        shop.recommender.catalogue_changed()
    await correcting
    assert len(shop.written()) == USERS_AT_ONCE


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(models.recommender, "MOST_USERS_AT_ONCE", FEWEST_USERS_AT_ONCE)
    return FEWEST_USERS_AT_ONCE


async def test_a_batch_of_many_users_lets_others_go_on_after_each_few(few_at_once: int) -> None:
    bench = Bench(recommender=CountingRecommender)
    recommender = bench.recommender
    assert isinstance(recommender, CountingRecommender)
    others = asyncio.create_task(recommender.take_turns())
    await bench.handle(batch(*(event(f"e{n}", user_id=f"u{n}", item_id=f"i{n}") for n in range(60))))
    others.cancel()
    assert recommender.most == few_at_once
    assert len(bench.users.lists) == 60


async def test_a_batch_in_steps_stores_what_it_stores_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [event(f"e{n}", user_id=f"u{n % 40}", item_id=f"i{n % 7}", ts=NOW - n) for n in range(120)]
    at_once, in_steps = Bench(), Bench()
    await at_once.handle(batch(*events))
    monkeypatch.setattr(models.recommender, "MOST_USERS_AT_ONCE", FEWEST_USERS_AT_ONCE)
    await in_steps.handle(batch(*events))
    assert in_steps.users.fields == at_once.users.fields
    assert in_steps.users.lists == at_once.users.lists
    assert in_steps.outbox.interactions_log == at_once.outbox.interactions_log


def test_the_more_vectors_the_fewer_users_a_step_has() -> None:
    recommender = Recommender(RecommenderSettings())
    sizes = []
    for items in (1, 50_000, 200_000):
        names = [f"i{number}" for number in range(items)]
        recommender.set_vectors("m", names, np.ones((items, 1), np.float32))
        sizes.append(recommender.users_at_once)
        assert sizes[-1] * items <= COMPARED_AT_ONCE
    assert sizes == [256, 160, 40]


def test_a_step_has_some_users_however_many_vectors_there_are() -> None:
    recommender = Recommender(RecommenderSettings())
    recommender.set_vectors("m", ["a", "b"], np.ones((2, 1), np.float32))
    recommender.meaning.vectors._count = 10**9
    assert recommender.users_at_once == FEWEST_USERS_AT_ONCE

"""What follows from a new vector: lists of users who are shown the like of it, and what is similar
to it.
"""

import asyncio

import numpy as np
import orjson
import pytest
from asking import stored
from builders import NOW, teach
from fakes import ManualClock, MemoryOutbox, MemoryReplicas
from memory_users import MemoryUsers
from prometheus_client import CollectorRegistry
from similar_lists import MemorySimilar

from agents.introduce import ITEMS_AT_ONCE, Introduce
from agents.keep_similar import MOST_WAITING, KeepSimilar
from agents.metrics import Metrics
from agents.refresh import Refresh
from models.contract.events import Item
from models.processor import ListMaker
from models.profile import Profile, Seen
from models.recommender import Recommender, RecommenderSettings
from models.shown import NOTHING, Shown

DIRECTIONS = {"kettle": (1.0, 0.0), "teapot": (0.9, 0.1), "drill": (0.0, 1.0), "saw": (0.1, 0.9)}

UNTOUCHED = b"as it was"


def place(recommender: Recommender, **directions: tuple[float, float]) -> None:
    recommender.set_vectors("m", list(directions), np.array(list(directions.values()), np.float32))


@pytest.fixture
def recommender() -> Recommender:
    made = Recommender(RecommenderSettings())
    place(made, **DIRECTIONS)
    return made


class Users:
    """Users whose lists this worker wrote, and what writes them again."""

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender
        self.users = MemoryUsers()
        self.replicas = MemoryReplicas()
        self.shown = Shown(20, 100)
        self.refresh = Refresh(
            maker=ListMaker.of(recommender, 100),
            shown=self.shown,
            users=self.users,
            outbox=MemoryOutbox(),
            metrics=Metrics(CollectorRegistry()),
            clock=ManualClock(NOW),
            write_lock=asyncio.Lock(),
            emit_lock=asyncio.Lock(),
        )
        self.introduce = Introduce(recommender, self.refresh, self.replicas)

    def saw(self, user_id: str, item_id: str, *listed: str) -> None:
        self.users.fields |= stored({user_id: Profile(recent=(Seen(NOW, 0, item_id),))})
        row = np.full((1, 20), NOTHING, np.int32)
        row[0, : len(listed)] = self.recommender.items.numbers(listed)
        self.shown.put([user_id], 0, np.zeros(1, np.uint64), row)
        self.users.lists[user_id] = UNTOUCHED

    def lists(self) -> dict[str, list[str]]:
        """Those that were written again."""
        written = {user: encoded for user, encoded in self.users.lists.items() if encoded != UNTOUCHED}
        found = {user: orjson.loads(encoded)["items"] for user, encoded in written.items()}
        return {user: [each["item_id"] for each in items] for user, items in found.items()}


async def test_a_new_item_is_offered_to_those_who_are_shown_the_like_of_it(recommender: Recommender) -> None:
    users = Users(recommender)
    users.saw("cook", "kettle", "teapot")
    users.saw("nobody's friend", "kettle", "something else")
    place(recommender, cup=(0.95, 0.05))
    await users.introduce.handle(["cup"])
    assert list(users.lists()) == ["cook"]
    assert "cup" in users.lists()["cook"]


async def test_an_item_without_a_vector_is_offered_to_nobody(recommender: Recommender) -> None:
    users = Users(recommender)
    users.saw("cook", "kettle", "teapot")
    await users.introduce.handle(["never heard of"])
    assert users.lists() == {}


async def test_of_many_items_at_once_the_last_ones_are_offered(recommender: Recommender) -> None:
    users = Users(recommender)
    users.introduce.arrived(0, [f"i{number}" for number in range(100)])
    assert users.introduce.new.qsize() == ITEMS_AT_ONCE


async def test_while_the_log_is_learned_nothing_is_new(recommender: Recommender) -> None:
    users = Users(recommender)
    users.replicas.behind = True
    similar = KeepSimilar(recommender, MemorySimilar(), users.replicas, lambda: {0})
    users.introduce.arrived(0, ["kettle"])
    similar.arrived(0, ["kettle"])
    assert users.introduce.new.empty()
    assert similar.next_lists() == {}


def keeping(recommender: Recommender, *, owned: int = 0) -> KeepSimilar:
    return KeepSimilar(recommender, MemorySimilar(), MemoryReplicas(), lambda: {owned})


def named(encoded: bytes | None) -> list[str]:
    return [each["item_id"] for each in orjson.loads(encoded or b"[]")]


def test_a_new_item_s_list_comes_first_and_then_those_that_it_may_be_in(recommender: Recommender) -> None:
    similar = keeping(recommender)
    similar.touched(["saw"])
    similar.arrived(0, ["kettle"])
    first, then = similar.next_lists(), similar.next_lists()
    assert {item_id: named(encoded)[0] for item_id, encoded in first.items()} == {"kettle": "teapot"}
    assert {"saw", "teapot"} <= set(then)
    assert named(then["saw"])[0] == "drill"
    assert similar.next_lists() == {}


def test_of_the_items_that_wait_the_newest_is_served_first(recommender: Recommender) -> None:
    similar = keeping(recommender)
    similar.arrived(0, ["kettle", *(f"i{number}" for number in range(100)), "saw"])
    similar.arrived(0, ["teapot", "kettle"])
    assert list(similar.next_lists())[:3] == ["kettle", "teapot", "saw"]


def test_a_deleted_item_gets_no_list_again(recommender: Recommender) -> None:
    similar = keeping(recommender)
    recommender.catalogue.upsert(Item("kettle", "Kettle"), 0)
    similar.arrived(0, ["kettle", "saw"])
    similar.touched(["kettle"])
    recommender.catalogue.delete("kettle")
    assert set(similar.next_lists()) == {"saw"}
    assert "kettle" not in similar.next_lists()


async def test_what_the_last_worker_of_a_partition_did_not_come_to_is_done(recommender: Recommender) -> None:
    similar = keeping(recommender)
    for item_id, partition in {"kettle": 0, "teapot": 0, "saw": 1}.items():
        recommender.catalogue.upsert(Item(item_id, item_id), partition)
    await similar.store.write({"teapot": b"[]"}, 0)
    watch = asyncio.create_task(similar.watch())
    async with asyncio.timeout(10):
        await similar._wake.wait()
    watch.cancel()
    assert set(similar.next_lists()) == {"kettle"}


def test_a_new_item_of_another_worker_is_left_to_it(recommender: Recommender) -> None:
    similar = keeping(recommender, owned=1)
    similar.arrived(0, ["kettle"])
    assert similar.next_lists() == {}


def test_an_item_that_nothing_is_like_has_no_list() -> None:
    similar = keeping(Recommender(RecommenderSettings()))
    similar.touched(["a"])
    assert similar.next_lists() == {"a": None}


def test_neighbours_in_sessions_are_similar_too() -> None:
    recommender = Recommender(RecommenderSettings())
    teach(recommender, {"s1": ["a", "b"], "s2": ["a", "b"]})
    similar = keeping(recommender)
    similar.touched(["a"])
    assert named(similar.next_lists()["a"]) == ["b"]


def test_no_more_items_wait_than_can_be_caught_up_with(recommender: Recommender) -> None:
    similar = keeping(recommender)
    similar.touched([f"i{number}" for number in range(MOST_WAITING)])
    similar.touched(["kettle"])
    assert "kettle" not in similar._changed


async def test_lists_are_written_in_the_background(recommender: Recommender) -> None:
    store = MemorySimilar()
    similar = KeepSimilar(recommender, store, MemoryReplicas(), lambda: {0})
    task = asyncio.create_task(similar.run())
    similar.arrived(0, ["kettle"])
    async with asyncio.timeout(10):
        while not {"kettle", "teapot"} <= store.lists.keys():
            await asyncio.sleep(0)
    task.cancel()


def test_a_list_tells_how_many_sessions_hold_both_items(recommender: Recommender) -> None:
    teach(recommender, {"s1": ["kettle", "teapot"], "s2": ["teapot", "kettle"]})
    similar = keeping(recommender)
    similar.touched(["kettle"])
    (encoded,) = similar.next_lists().values()
    assert [(each["item_id"], each["sessions"]) for each in orjson.loads(encoded or b"[]")] == [("teapot", 2)]

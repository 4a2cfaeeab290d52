"""Who has which items in their list."""

import numpy as np

from models.shown import NOTHING, Holder, Shown
from models.vocabulary import Vocabulary


class Lists:
    """Lists of at most three items of up to `capacity` users."""

    def __init__(self, capacity: int = 10) -> None:
        self.items = Vocabulary()
        self.shown = Shown(3, capacity)

    def put(self, user_id: str, *item_ids: str, session: int = 1) -> None:
        row = [*self.items.numbers(item_ids).tolist(), NOTHING, NOTHING, NOTHING][:3]
        self.shown.put([user_id], 0, np.array([session], np.uint64), np.array([row], np.int32))

    def holders(self, *item_ids: str) -> list[str]:
        return [holder.user_id for holder in self.shown.holders_of(self.items.numbers(item_ids))]


def test_the_holders_of_an_item_are_those_with_it_in_their_newest_list() -> None:
    lists = Lists()
    lists.put("u1", "a", "b", "c")
    lists.put("u2", "b")
    assert (lists.holders("a"), lists.holders("b"), lists.holders("x")) == (["u1"], ["u1", "u2"], [])
    lists.put("u1", "c")
    assert (lists.holders("a"), lists.holders("b"), lists.holders("c")) == ([], ["u2"], ["u1"])
    assert lists.holders("b", "c") == ["u1", "u2"]


def test_a_holder_is_the_newest_one_of_the_user() -> None:
    lists = Lists()
    lists.put("u1", "a", session=1)
    lists.put("u1", "a", session=2)
    assert lists.shown.holders_of(lists.items.numbers(["a"])) == [Holder("u1", 0, 2)]


def test_memory_is_bounded_and_whoever_came_first_makes_room() -> None:
    lists = Lists(capacity=3)
    for number in range(7):
        lists.put(f"u{number}", "a", f"i{number}")
    assert sorted(lists.holders("a")) == ["u4", "u5", "u6"]
    assert lists.holders("i3") == []


def test_a_user_who_made_room_and_comes_back_takes_nobodys_place_but_the_oldest() -> None:
    lists = Lists(capacity=2)
    for user_id in ("u0", "u1", "u2", "u0"):
        lists.put(user_id, "a")
    assert sorted(lists.holders("a")) == ["u0", "u2"]


def test_thousands_of_lists_are_kept_as_they_were() -> None:
    lists = Lists(capacity=5_000)
    for number in range(5_000):
        lists.put(f"u{number}", f"i{number}")
    assert [lists.holders(f"i{number}") for number in (0, 1023, 1024, 4_999)] == [
        ["u0"],
        ["u1023"],
        ["u1024"],
        ["u4999"],
    ]


def test_what_is_forgotten_is_held_by_nobody() -> None:
    lists = Lists()
    lists.put("u1", "a")
    lists.shown.forget()
    assert lists.holders("a") == []
    lists.put("u2", "b")
    assert (lists.holders("a"), lists.holders("b")) == ([], ["u2"])


def test_users_who_are_removed_hold_nothing_and_make_room() -> None:
    lists = Lists(capacity=2)
    lists.put("u1", "a")
    lists.put("u2", "a")
    lists.shown.remove(["u1", "nobody"])
    assert lists.holders("a") == ["u2"]
    assert not lists.shown.has_user("u1")
    for user in ("u3", "u4", "u5"):
        lists.put(user, "b")
    assert sorted(lists.holders("a", "b")) == ["u4", "u5"]
    lists.put("u1", "a")
    assert lists.holders("a") == ["u1"]


class Looking(Lists):
    """Lists of three items, and one user who acts on them."""

    def act(self, item_id: str, *, taken: bool = False) -> tuple[int, float, list[int]]:
        items = self.items.numbers([item_id])
        found = self.shown.score(["u1"], np.zeros(1, np.int32), items, taken=taken)
        return found.scored, found.reciprocals, np.flatnonzero(found.hits).tolist()

    def store(self, *item_ids: str, source: int = 0) -> None:
        row = [*self.items.numbers(item_ids).tolist(), NOTHING, NOTHING, NOTHING][:3]
        self.shown.put(["u1"], 0, np.ones(1, np.uint64), np.array([row], np.int32), np.full((1, 3), source, np.uint8))


def test_an_event_is_scored_against_the_list_that_its_user_had() -> None:
    user = Looking()
    assert user.act("a") == (0, 0.0, [])  # there was no list
    user.store("b", "c", source=1)
    assert user.act("c") == (1, 0.5, [1])
    user.store("d")
    assert user.act("c") == (0, 0.0, [])  # what is looked at stands in no list
    assert user.act("x") == (1, 0.0, [])


def test_a_cart_or_an_order_scores_as_the_event_that_led_to_the_item() -> None:
    user = Looking()
    assert user.act("a") == (0, 0.0, [])
    assert user.act("a", taken=True) == (0, 0.0, [])
    user.store("b", "c", source=2)
    assert user.act("c") == (1, 0.5, [2])
    user.store("d")
    assert user.act("c", taken=True) == (1, 0.5, [2])
    assert user.act("d", taken=True) == (1, 1.0, [0])
    assert user.act("e") == (1, 0.0, [])
    assert user.act("e", taken=True) == (1, 0.0, [])


def test_a_user_who_takes_anothers_place_has_no_list_yet() -> None:
    user = Looking(capacity=1)
    user.put("u2", "a")
    assert user.act("a") == (0, 0.0, [])
    user.put("u2", "b")
    assert user.act("b") == (0, 0.0, [])


def test_many_users_are_scored_together() -> None:
    lists = Lists(capacity=5_000)
    for number in range(3_000):
        lists.put(f"u{number}", f"i{number}", f"i{number + 1}")
    users = [f"u{number}" for number in range(2_999)]
    items = lists.items.numbers(f"i{number + 1}" for number in range(2_999))
    found = lists.shown.score(users, np.arange(2_999, dtype=np.int32), items, taken=False)
    assert (found.scored, found.reciprocals, found.hits.tolist()) == (2_999, 2_999 / 2, [2_999, *[0] * 6])

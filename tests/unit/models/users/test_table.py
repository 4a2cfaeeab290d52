"""Profiles of active users in memory: who stays, who goes, and what is loaded again."""

from builders import NOW
from compiled import follow, slots_of, table_of
from reference import Event

from models.profile import Profile, ProfileSettings
from models.users.table import MISSING

SETTINGS = ProfileSettings()


def views(user: str, count: int, first: int = 0) -> list[tuple[str, Event]]:
    return [(user, Event(NOW + at, 0, f"i{at}", "views-0", at)) for at in range(first, first + count)]


def test_a_user_keeps_the_slot_from_batch_to_batch() -> None:
    table = table_of(SETTINGS)
    [slot] = table.find(["u1"])
    assert slot == MISSING
    [slot] = table.add({"u1": None})
    assert table.find(["u1", "u2"]).tolist() == [slot, MISSING]


def test_those_used_longest_ago_make_room() -> None:
    table = table_of(SETTINGS, capacity=3)
    for user in ("u1", "u2", "u3", "u1", "u4"):
        slots_of(table, [user])
    assert len(table) == 3
    assert table.find(["u1", "u2", "u3", "u4"]).tolist().count(MISSING) == 1
    assert table.find(["u2"]).tolist() == [MISSING]


def test_a_batch_of_more_users_than_there_is_room_for_keeps_all_of_them() -> None:
    table = table_of(SETTINGS, capacity=2)
    users = [f"u{number}" for number in range(9)]
    assert len(set(slots_of(table, users).tolist())) == 9
    slots_of(table, ["another"])
    assert len(table) <= 2


def test_a_slot_that_is_taken_again_knows_nothing_of_its_last_user() -> None:
    table = table_of(SETTINGS, capacity=1)
    follow(table, [("u1", Event(NOW, 2, "i1", "orders-0", 7))])
    [slot] = slots_of(table, ["u2"])
    assert table.profile(slot) == Profile()


def test_a_user_that_is_discarded_is_loaded_again() -> None:
    table = table_of(SETTINGS)
    slots = slots_of(table, ["u1", "u2"])
    table.discard(slots[:1])
    assert table.find(["u1", "u2"]).tolist() == [MISSING, slots[1]]


def test_users_are_forgotten_before_the_next_batch_and_not_in_the_middle_of_one() -> None:
    table = table_of(SETTINGS)
    [slot] = slots_of(table, ["u1"])
    table.forget()
    assert len(table) == 0
    assert table.profile(slot) == Profile()
    table.add({"u2": None})
    assert table.find(["u1", "u2"]).tolist() == [MISSING, MISSING]


def test_thousands_of_users_with_many_items_are_kept_as_they_were() -> None:
    table = table_of(SETTINGS, capacity=5_000)
    for number in range(3_000):
        follow(table, views(f"u{number}", number % 40 + 1))
    for number in (0, 1, 39, 2_999):
        [slot] = slots_of(table, [f"u{number}"])
        count = number % 40 + 1
        assert [seen.ts for seen in table.profile(slot).recent] == [NOW + at for at in range(count)][::-1][:30]


def test_users_who_come_and_go_do_not_let_memory_grow() -> None:
    table = table_of(SETTINGS, capacity=50)
    for number in range(300):
        follow(table, views(f"u{number}", 30))
    before = table.memory_bytes
    for number in range(2_000):
        follow(table, views(f"later{number}", 30))
    assert table.memory_bytes == before

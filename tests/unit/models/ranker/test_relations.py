"""Pairs of items: what followed what, how far, how long ago, and how many are kept."""

import numpy as np
import pytest
from builders import DAY, NOW

from models.ranker.relation_kernel import BACKWARD, FORWARD, NEXT, TOGETHER
from models.ranker.relations import TRAIL, ItemRelations


def learn(relations: ItemRelations, items: list[int], sessions: list[int] | None = None, ts: float = NOW) -> None:
    numbers, names = np.array(items, np.int32), np.array(sessions or [1] * len(items), np.uint64)
    relations.learn(numbers, np.full(len(items), ts), relations.follow(names, numbers))


def others(relations: ItemRelations, item: int) -> dict[int, list[float]]:
    """What is kept of each other item, by column."""
    arrays = relations.arrays
    cells = range(arrays.base[item], arrays.base[item] + arrays.size[item])
    return {int(arrays.items[cell]): arrays.weights[cell].tolist() for cell in cells}


def test_an_item_is_related_to_what_came_before_it_by_their_distance() -> None:
    relations = ItemRelations(30.0)
    learn(relations, [1, 2, 3])

    assert others(relations, 1) == {2: [1, 1, 0, 1], 3: [0.5, 0, 0, 1]}
    assert others(relations, 2) == {1: [0, 0, 1, 1], 3: [1, 1, 0, 1]}
    assert (FORWARD, NEXT, BACKWARD, TOGETHER) == (0, 1, 2, 3)


def test_what_lies_further_apart_than_the_window_is_not_related() -> None:
    relations = ItemRelations(30.0)
    learn(relations, list(range(1, 13)))

    assert set(others(relations, 1)) == set(range(2, 12))


def test_sessions_that_interleave_do_not_mix() -> None:
    relations = ItemRelations(30.0)
    learn(relations, [1, 5, 2, 6], [1, 2, 1, 2])

    assert set(others(relations, 1)) == {2}
    assert set(others(relations, 5)) == {6}


def test_a_weight_halves_in_a_half_life() -> None:
    relations = ItemRelations(30.0)
    learn(relations, [1, 2], ts=NOW)
    learn(relations, [1, 3], [2, 2], ts=NOW + 30 * DAY)

    found = others(relations, 1)
    assert found[2][FORWARD] / found[3][FORWARD] == pytest.approx(0.5)


def test_weights_stay_in_bounds_over_a_thousand_half_lives() -> None:
    relations = ItemRelations(1.0)
    for day in range(0, 1000, 50):
        learn(relations, [1, 2], [day + 1] * 2, ts=NOW + day * DAY)

    [[_, weights]] = others(relations, 1).items()
    assert np.isfinite(weights).all()
    assert weights[FORWARD] > 0


def test_the_lightest_of_too_many_makes_room() -> None:
    relations = ItemRelations(30.0, most=2)
    learn(relations, [1, 2, 1, 2], [1, 1, 2, 2])
    learn(relations, [1, 3], [3, 3])
    learn(relations, [1, 4], [4, 4])

    assert set(others(relations, 1)) == {2, 4}


def test_a_session_remembers_its_newest_items() -> None:
    relations = ItemRelations(30.0)
    items = np.arange(TRAIL + 3, dtype=np.int32)
    before = relations.follow(np.ones(TRAIL + 3, np.uint64), items)

    assert before.sizes[-1] == TRAIL
    assert before.items[-1].tolist() == list(range(2, TRAIL + 2))


def test_repeats_of_an_item_in_one_session_are_counted() -> None:
    relations = ItemRelations(30.0)
    learn(relations, [1, 2, 1, 1])

    assert relations.arrays.events[1] == 3
    assert relations.arrays.repeats[1] == 2


def test_a_session_holds_its_last_items_until_it_is_forgotten() -> None:
    relations = ItemRelations(30.0)
    learn(relations, [1, 2, 5], [7, 7, 9])
    names = np.array([7, 8, 9], np.uint64)
    held = relations.held(names)
    assert [held.items[row, : held.sizes[row]].tolist() for row in range(3)] == [[1, 2], [], [5]]
    relations.forget(names[:2])
    assert relations.held(names).sizes.tolist() == [0, 0, 1]
    assert 2 in others(relations, 1)  # sums over all sessions stay


@pytest.mark.parametrize(
    ("column", "value"), [("size", 900), ("base", -1), ("weights", np.nan), ("items", -4), ("trail_sizes", TRAIL + 1)]
)
def test_columns_that_are_no_relations_are_refused(column: str, value: float) -> None:
    relations = ItemRelations(30.0)
    learn(relations, [1, 2, 3])
    columns = relations.snapshot()
    ItemRelations(30.0).restore(columns)
    columns[column][: 2 * TRAIL] = value
    with pytest.raises(ValueError, match="not a saved state"):
        ItemRelations(30.0).restore(columns)


def test_relations_without_a_pair_come_back_and_learn_on() -> None:
    relations = ItemRelations(30.0)
    relations.restore(ItemRelations(30.0).snapshot())
    learn(relations, [1, 2])
    assert set(others(relations, 1)) == {2}

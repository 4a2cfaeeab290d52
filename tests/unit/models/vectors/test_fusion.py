"""Two rankings into one: places and similarity, by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.ranking.lists import Candidates
from models.vectors.fusion import Balance, fuse
from models.vectors.scan import Near

NAMES = ["a", "b", "c", "d", "e"]


def near(*found: tuple[int, float, int]) -> Near:
    """One user's nearest items: number, similarity, place."""
    items, similarity, place = zip(*found, strict=True)
    return Near(np.array([items], np.int32), np.array([similarity], np.float32), np.array([place], np.int32))


def fused(neighbours: list[int], found: Near, balance: Balance, late: tuple[int, ...] = ()) -> Candidates:
    is_late = np.zeros(len(NAMES), np.bool_)
    is_late[list(late)] = True
    return fuse(np.array([neighbours], np.int32), found, is_late, balance)


def scores(found: Candidates) -> dict[str, float]:
    rows = zip(found.items[0].tolist(), found.scores[0].tolist(), strict=True)
    return {NAMES[item]: score for item, score in rows if item >= 0}


def marked(found: Candidates, marks: NDArray[np.bool_]) -> set[str]:
    return {NAMES[item] for item in found.items[marks].tolist()}


def test_places_in_both_rankings_add_up_and_similarity_weighs_the_second() -> None:
    found = fused([0, 1, -1], near((1, 1.0, 1), (2, 0.5, 2), (-1, 0.0, 0)), Balance(weight=2.0, offset=10.0, slots=0))
    assert scores(found) == pytest.approx(
        {"a": 11 / 3 / 11, "b": 11 / 3 * (1 / 12 + 2 / 11), "c": 11 / 3 * 2 * 0.5 / 12}
    )


def test_the_first_of_both_that_means_the_same_counts_1() -> None:
    assert scores(fused([3], near((3, 1.0, 1)), Balance(1.5, 60.0, 0))) == pytest.approx({"d": 1.0})


def test_meaning_is_named_where_it_says_more() -> None:
    found = fused([0, 1], near((0, 0.9, 1), (2, 0.9, 2), (1, 0.01, 3)), Balance(1.5, 60.0, 0))
    assert marked(found, found.by_meaning) == {"a", "c"}


@pytest.mark.parametrize(("slots", "reserved"), [(0, set()), (1, {"c"}), (2, {"c", "e"}), (9, {"c", "e"})])
def test_places_are_reserved_for_the_late_items_nearest_in_meaning(slots: int, reserved: set[str]) -> None:
    nearest = near((0, 0.9, 1), (2, 0.8, 2), (4, 0.7, 3))
    found = fused([0, 1], nearest, Balance(1.5, 60.0, slots), late=(1, 2, 4))
    assert marked(found, found.reserved) == reserved


def test_a_user_without_any_candidate_gets_none() -> None:
    nothing: NDArray[np.int32] = np.full((2, 3), -1, np.int32)
    empty = Near(nothing, np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int32))
    found = fuse(nothing, empty, np.zeros(0, np.bool_), Balance(1.0, 60.0, 1))
    assert (found.items == -1).all()

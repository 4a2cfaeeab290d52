"""Two rankings into one: places and similarity, by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.vectors.fusion import Balance, Fused, candidates, fuse
from models.vectors.scan import Near

NAMES = ["a", "b", "c", "d", "e"]


def near(*found: tuple[int, float, int]) -> Near:
    """One user's nearest items: number, similarity, place."""
    items, similarity, place = zip(*found, strict=True)
    return Near(np.array([items], np.int32), np.array([similarity], np.float32), np.array([place], np.int32))


def fused(neighbours: list[int], found: Near, balance: Balance, late: tuple[int, ...] = ()) -> Fused:
    is_late = np.zeros(len(NAMES), np.bool_)
    is_late[list(late)] = True
    return fuse(np.array([neighbours], np.int32), found, is_late, balance)


def scores(found: Fused) -> dict[str, float]:
    [each] = candidates(found, NAMES, 20)
    return dict(each.scored)


def test_places_in_both_rankings_add_up_and_similarity_weighs_the_second() -> None:
    found = fused([0, 1, -1], near((1, 1.0, 1), (2, 0.5, 2), (-1, 0.0, 0)), Balance(weight=2.0, offset=10.0, slots=0))
    assert scores(found) == pytest.approx(
        {"a": 11 / 3 / 11, "b": 11 / 3 * (1 / 12 + 2 / 11), "c": 11 / 3 * 2 * 0.5 / 12}
    )


def test_the_first_of_both_that_means_the_same_counts_1() -> None:
    assert scores(fused([3], near((3, 1.0, 1)), Balance(1.5, 60.0, 0))) == pytest.approx({"d": 1.0})


def test_meaning_is_named_where_it_says_more() -> None:
    [each] = candidates(fused([0, 1], near((0, 0.9, 1), (2, 0.9, 2), (1, 0.01, 3)), Balance(1.5, 60.0, 0)), NAMES, 20)
    assert each.by_meaning == {"a", "c"}


@pytest.mark.parametrize(("slots", "reserved"), [(0, set()), (1, {"c"}), (2, {"c", "e"}), (9, {"c", "e"})])
def test_places_are_reserved_for_the_late_items_nearest_in_meaning(slots: int, reserved: set[str]) -> None:
    found = near((0, 0.9, 1), (2, 0.8, 2), (4, 0.7, 3))
    [each] = candidates(fused([0, 1], found, Balance(1.5, 60.0, slots), late=(1, 2, 4)), NAMES, 20)
    assert set(each.reserved) == reserved


def test_only_what_can_be_in_the_list_is_named_and_that_is_reserved() -> None:
    found = near((2, 0.9, 1), (3, 0.2, 2))
    [each] = candidates(fused([0, 1], found, Balance(1.0, 60.0, 1), late=(3,)), NAMES, 1)
    assert {name for name, _ in each.scored} == {"a", "d"}


def test_a_user_without_any_candidate_gets_none() -> None:
    nothing: NDArray[np.int32] = np.full((2, 3), -1, np.int32)
    empty = Near(nothing, np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int32))
    found = candidates(fuse(nothing, empty, np.zeros(0, np.bool_), Balance(1.0, 60.0, 1)), NAMES, 20)
    assert [each.scored for each in found] == [[], []]

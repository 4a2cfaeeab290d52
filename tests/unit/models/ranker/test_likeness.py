"""Meaning: the nearest items are remembered, and candidates are compared with the session."""

import numpy as np
import pytest
from small_lists import one_list

from models.ranker.features import FEATURE_TYPE
from models.ranker.likeness import NEAR, Likeness
from models.ranker.likeness_kernel import compare
from models.vectors.item_vectors import ItemVectors

DIMENSION = 64


def vectors_of(count: int) -> ItemVectors:
    """Items on a quarter of a circle: the nearer their numbers, the nearer they are."""
    vectors = ItemVectors()
    angles = np.linspace(0.1, np.pi / 2 - 0.1, count)
    rows = np.zeros((count, DIMENSION), np.float32)
    rows[:, 0], rows[:, 1] = np.cos(angles), np.sin(angles)
    vectors.set("a model", np.arange(count, dtype=np.int32), rows)
    return vectors


def test_the_nearest_items_are_found_without_the_item_itself() -> None:
    near = Likeness(vectors_of(100)).look_up(np.array([50, 0], np.int32))

    assert sorted(near[50, :4].tolist()) == [48, 49, 51, 52]
    assert near[0, :3].tolist() == [1, 2, 3]
    assert 50 not in near[50]
    assert near.shape[1] == NEAR


def test_an_item_without_vector_is_near_to_nothing_until_it_has_one() -> None:
    vectors = vectors_of(300)
    likeness = Likeness(vectors)
    assert (likeness.look_up(np.array([400], np.int32))[400] < 0).all()

    vectors.set("a model", np.array([400], np.int32), vectors.rows[[7]])

    assert 7 in likeness.look_up(np.array([400], np.int32))[400]


def test_nearest_items_are_looked_for_again_when_many_vectors_changed() -> None:
    vectors = vectors_of(100)
    likeness = Likeness(vectors)
    assert 11 in likeness.look_up(np.array([10], np.int32))[10]

    vectors.remove(np.array([11, 12], np.int32))

    found = likeness.look_up(np.array([10], np.int32))[10]
    assert 11 not in found
    assert 9 in found


def test_without_vectors_nothing_is_near() -> None:
    assert (Likeness(ItemVectors()).look_up(np.array([3], np.int32))[3] < 0).all()


def test_candidates_are_compared_with_the_last_item_and_with_the_sessions_mean() -> None:
    rows = np.zeros((4, DIMENSION), np.float32)
    rows[1, 0], rows[2, 1], rows[3, :2] = 1.0, 1.0, np.sqrt(0.5)
    sessions, found = one_list([1, 2], [1, 2, 3, 9])
    features = np.full(1, np.nan, FEATURE_TYPE)

    compare(rows, sessions, found, features)

    length = np.hypot(1.0, 0.7)
    assert features["like_last"][0, :4] == pytest.approx([0, 1, np.sqrt(0.5), 0], abs=1e-6)
    assert features["like_session"][0, :4] == pytest.approx(
        [0.7 / length, 1 / length, 1.7 / length * np.sqrt(0.5), 0], abs=1e-6
    )

"""Vectors laid out on a plane."""

import numpy as np
import pytest

from models.vectors.plane import lay_out


def test_what_is_alike_is_near_and_what_is_not_is_far() -> None:
    rng = np.random.default_rng(1)
    ways = np.eye(32, dtype=np.float32)[:3]
    vectors = np.repeat(ways, 20, axis=0) + rng.normal(0, 0.02, (60, 32)).astype(np.float32)
    points = lay_out(vectors)
    middles = points.reshape(3, 20, 2).mean(axis=1)
    within = np.linalg.norm(points.reshape(3, 20, 2) - middles[:, None], axis=2).max()
    between = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert between > 5 * within


def test_points_lie_in_the_unit_square_around_its_middle_and_repeat() -> None:
    vectors = np.random.default_rng(2).normal(size=(50, 8)).astype(np.float32)
    points = lay_out(vectors)
    assert points.min() >= 0
    assert points.max() <= 1
    assert points.mean(axis=0) == pytest.approx([0.5, 0.5], abs=1e-6)
    assert (lay_out(vectors) == points).all()
    assert np.abs(points - 0.5).max() == pytest.approx(0.5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_vectors_have_places_too(count: int) -> None:
    points = lay_out(np.eye(4, dtype=np.float32)[:count])
    assert points.shape == (count, 2)
    assert not np.isnan(points).any()


def test_equal_vectors_are_all_in_the_middle() -> None:
    assert (lay_out(np.ones((5, 3), np.float32)) == 0.5).all()


def test_vectors_of_one_number_lie_on_a_line() -> None:
    points = lay_out(np.array([[0.0], [1.0], [2.0]], np.float32))
    assert (points[:, 1] == 0.5).all()
    assert points[:, 0].tolist() == [0.0, 0.5, 1.0]

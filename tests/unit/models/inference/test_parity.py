"""Compute the figures of parity; write and read canonical vectors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.inference.canonical import ABSOLUTE, COSINE, Canonical, compare, read_canonical, write_canonical
from models.inference.manifest import ManifestError
from models.inference.parity import batch_independence, cosines, neighbour_overlap

Floats = NDArray[np.float32]


def vectors(rows: int = 60, seed: int = 1) -> Floats:
    found = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def lengths(texts: Sequence[str]) -> Floats:
    return np.array([[len(text), 1.0] for text in texts], np.float32)


def lengths_in_units_of_the_longest(texts: Sequence[str]) -> Floats:
    return np.array([[len(text) / max(map(len, texts)), 1.0] for text in texts], np.float32)


def test_equal_sets_overlap_wholly_and_others_by_chance() -> None:
    assert neighbour_overlap(vectors(), vectors()) == 1.0
    assert neighbour_overlap(vectors(), vectors(seed=2)) < 0.4


def test_a_row_is_not_its_own_neighbour() -> None:
    one = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
    other = np.array([[1, 0], [0, 1], [1, 0.1]], np.float32)
    assert neighbour_overlap(one, other, 1) == 0.0


def test_a_vector_of_zeros_has_no_direction() -> None:
    assert cosines(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)).tolist() == [0.0]


def test_a_model_that_looks_at_its_batch_is_found_out() -> None:
    texts = ["x" * length for length in range(1, 30)]
    assert batch_independence(lengths, texts) == pytest.approx(1.0)
    assert batch_independence(lengths_in_units_of_the_longest, texts) < 0.9


@pytest.mark.parametrize(("bound", "passed"), [(0.999, True), (0.9995, False)])
def test_the_worst_cosine_decides(bound: float, passed: bool) -> None:
    wanted = np.array([[3.0, 1.0], [2.0, 1.1]], np.float32)
    comparison = compare(Canonical(("abc", "ab"), wanted, COSINE, bound), lengths)
    assert comparison.worst == pytest.approx(5.1 / np.sqrt(5 * 5.21))
    assert comparison.passed is passed


@pytest.mark.parametrize(("bound", "passed"), [(0.2, True), (0.05, False)])
def test_the_largest_difference_decides(bound: float, passed: bool) -> None:
    wanted = np.array([[3.0, 1.0], [2.0, 1.1]], np.float32)
    assert compare(Canonical(("abc", "ab"), wanted, ABSOLUTE, bound), lengths).passed is passed


def test_canonical_vectors_survive_a_file(tmp_path: Path) -> None:
    canonical = Canonical(("a", "é\n", ""), vectors(3), COSINE, 0.98)
    write_canonical(tmp_path / "c.json", canonical)
    found = read_canonical(tmp_path / "c.json")
    assert (found.texts, found.measure, found.bound) == (canonical.texts, COSINE, 0.98)
    assert np.array_equal(found.vectors, canonical.vectors)


@pytest.mark.parametrize("content", ["", "{}", '{"texts": ["a"], "dimension": 3, "vectors": "AAAA"}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(ManifestError, match="holds no canonical vectors"):
        read_canonical(tmp_path / "c.json")


def test_a_model_of_another_dimension_is_refused() -> None:
    with pytest.raises(ManifestError, match="shape"):
        compare(Canonical(("a",), vectors(1), COSINE, 0.9), lengths)

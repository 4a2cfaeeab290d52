"""Item vectors in memory: what is near, what may not be found, and what is refused."""

from collections.abc import Sequence

import numpy as np
import pytest
from meanings import shelves
from numpy.typing import NDArray

from models.vectors.item_vectors import Exclusions, ItemFilters, ItemVectors, SearchLimits, Sums, unit
from models.vectors.scan import Near

PLENTY = SearchLimits(k=50, late=0, compared=300)


def numbers(*items: int) -> NDArray[np.int32]:
    return np.array(items, np.int32)


def rows(*vectors: list[float]) -> NDArray[np.float32]:
    return np.array(vectors, np.float32)


def excluding(rows: Sequence[NDArray[np.int32]]) -> Exclusions:
    """One array of item numbers a user."""
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Exclusions(np.concatenate([numbers(), *rows]), starts)


def shelf(items: int, weight: NDArray[np.float32] | None = None, late: tuple[int, ...] = ()) -> ItemFilters:
    """Return filters that show all items but the given ones; ties are in the order of numbers."""
    is_late = np.zeros(items, np.bool_)
    is_late[list(late)] = True
    return ItemFilters(
        np.ones(items, np.float32) if weight is None else weight, is_late, np.arange(items, dtype=np.uint64)
    )


def nearest(vectors: ItemVectors, wanted: NDArray[np.float32], on: ItemFilters, wish: SearchLimits = PLENTY) -> Near:
    return vectors.nearest(wanted, excluding([numbers()] * len(wanted)), on, wish)


def found(near: Near, row: int = 0) -> list[int]:
    return [item for item in near.items[row].tolist() if item >= 0]


def held(*vectors: list[float]) -> ItemVectors:
    """Items 0, 1, … with these vectors."""
    kept = ItemVectors()
    kept.set("toy", np.arange(len(vectors), dtype=np.int32), rows(*vectors))
    return kept


def test_the_most_similar_items_come_first_with_their_cosine() -> None:
    near = nearest(held([1, 0], [3, 4], [0, 2], [-1, 0]), rows([1, 0]), shelf(4))
    assert found(near) == [0, 1]
    assert near.similarity[0, :2].tolist() == pytest.approx([1.0, 0.6])


def test_nearly_all_of_the_nearest_fifty_are_found() -> None:
    kept, catalogue = ItemVectors(), shelves(20_000)
    kept.set("toy", np.arange(len(catalogue), dtype=np.int32), catalogue)
    wanted = unit(catalogue[:64] + 0.3 * catalogue[64:128])
    near = nearest(kept, wanted, shelf(len(catalogue)))
    exact = np.argsort(-(wanted @ catalogue.T), axis=1)[:, :50]
    shared = [len(set(found(near, row)) & set(exact[row].tolist())) for row in range(64)]
    assert np.mean(shared) / 50 >= 0.95


def test_a_user_finds_the_same_alone_and_among_others() -> None:
    kept, catalogue = ItemVectors(), shelves(5_000)
    kept.set("toy", np.arange(len(catalogue), dtype=np.int32), catalogue)
    together = nearest(kept, catalogue[:21], shelf(len(catalogue)))
    for row in range(21):
        alone = nearest(kept, catalogue[row : row + 1], shelf(len(catalogue)))
        assert np.array_equal(alone.items[0], together.items[row])
        assert np.array_equal(alone.similarity[0], together.similarity[row])


@pytest.mark.parametrize("dimension", [1, 63, 64, 384, 385, 1024])
def test_any_dimension_will_do(dimension: int) -> None:
    kept, catalogue = ItemVectors(), shelves(300, dimension)
    kept.set("toy", np.arange(300, dtype=np.int32), catalogue)
    near = nearest(kept, catalogue[:5], shelf(300), SearchLimits(1, 0, 300))
    assert near.similarity[:, 0] == pytest.approx(np.ones(5))


def test_the_order_of_arrival_changes_nothing() -> None:
    catalogue, order = shelves(2_000), np.random.default_rng(3).permutation(2_000).astype(np.int32)
    one, other = ItemVectors(), ItemVectors()
    one.set("toy", np.arange(2_000, dtype=np.int32), catalogue)
    for some in np.array_split(order, 7):
        other.set("toy", some, catalogue[some])
    first, second = (nearest(each, catalogue[:30], shelf(2_000)) for each in (one, other))
    assert np.array_equal(first.items, second.items)


def test_equally_similar_items_share_a_place_and_come_in_the_order_of_their_keys() -> None:
    near = nearest(held([0, 1], [1, 1], [2, 2], [1, 0]), rows([1, 0]), shelf(4))
    assert found(near) == [3, 1, 2]
    assert near.place[0, :3].tolist() == [1, 2, 2]


def test_a_hidden_item_is_not_found_and_does_not_use_up_what_is_compared() -> None:
    weight = np.array([0, 0, 1, 1], np.float32)
    near = nearest(held([1, 0], [1, 0], [1, 1], [0, 1]), rows([1, 0]), shelf(4, weight), SearchLimits(4, 0, compared=1))
    assert found(near) == [2]


def test_a_low_weight_moves_an_item_back() -> None:
    weight = np.array([0.5, 1.0], np.float32)
    near = nearest(held([1, 0], [1, 1]), rows([1, 0]), shelf(2, weight))
    assert found(near) == [1, 0]


def test_what_is_barred_to_one_user_is_found_by_the_other() -> None:
    kept = held([1, 0], [1, 1])
    near = kept.nearest(rows([1, 0], [1, 0]), excluding([numbers(0, 77), numbers()]), shelf(2), PLENTY)
    assert (found(near, 0), found(near, 1)) == ([1], [0, 1])


def test_the_best_late_items_are_found_after_the_first_k() -> None:
    kept = held([1, 0], [1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4])
    near = nearest(kept, rows([1, 0]), shelf(5, late=(1, 3, 4)), SearchLimits(k=2, late=1, compared=300))
    assert found(near) == [0, 1, 3]
    assert near.place[0].tolist() == [1, 2, 4]


def test_a_changed_vector_replaces_the_one_before_and_a_removed_one_is_gone() -> None:
    kept = held([1, 0], [0, 1])
    kept.set("toy", numbers(1), rows([1, 0]))
    assert found(nearest(kept, rows([1, 0]), shelf(2))) == [0, 1]
    kept.remove(numbers(0, 5_000))
    assert found(nearest(kept, rows([1, 0]), shelf(2))) == [1]
    assert (len(kept), kept.has(0), kept.has(1)) == (1, False, True)


def test_of_two_vectors_of_an_item_the_last_counts() -> None:
    kept = ItemVectors()
    kept.set("toy", numbers(0, 0), rows([1, 0], [0, 1]))
    assert found(nearest(kept, rows([1, 0]), shelf(1))) == []
    assert found(nearest(kept, rows([0, 1]), shelf(1))) == [0]


def test_a_vector_of_length_0_is_none() -> None:
    kept = held([0, 0], [0, 1])
    assert (len(kept), kept.has(0)) == (1, False)
    assert found(nearest(kept, rows([0, 0]), shelf(2))) == []


def test_sums_are_weighted_and_items_without_a_vector_add_nothing() -> None:
    kept = held([1, 0], [0, 1])
    sums = Sums(numbers(0, 1, 9_000, 1), np.array([1, 2, 3, 4], np.float32), np.array([0, 3, 3, 4]))
    assert kept.add_up(sums).tolist() == [[1, 2], [0, 0], [0, 4]]


def test_vectors_of_another_model_are_refused_until_the_old_ones_are_forgotten() -> None:
    kept = held([1, 0])
    with pytest.raises(ValueError, match=r"'other'.*'toy'"):
        kept.set("other", numbers(1), rows([1, 0]))
    assert (len(kept), kept.model) == (1, "toy")
    kept.forget()
    kept.set("other", numbers(0), rows([1, 0, 0]))
    assert (len(kept), kept.model, kept.dimension) == (1, "other", 3)


@pytest.mark.parametrize(
    ("items", "vectors", "said"),
    [
        (numbers(1), np.ones((1, 3), np.float32), "2 dimensions, not 3"),
        (numbers(1), np.ones((2, 2), np.float32), "as many vectors"),
        (numbers(1), np.ones(2, np.float32), "as many vectors"),
        (numbers(1), np.ones((1, 0), np.float32), "not 0"),
        (numbers(1), rows([np.nan, 1]), "not finite"),
        (numbers(-1), rows([1, 1]), "negative"),
    ],
)
def test_unfit_vectors_are_refused_and_change_nothing(
    items: NDArray[np.int32], vectors: NDArray[np.float32], said: str
) -> None:
    kept = held([1, 0])
    with pytest.raises(ValueError, match=said):
        kept.set("toy", items, vectors)
    assert found(nearest(kept, rows([1, 0]), shelf(1))) == [0]


def test_nothing_is_found_before_the_first_vector() -> None:
    assert nearest(ItemVectors(), np.zeros((2, 0), np.float32), shelf(0)).items.tolist() == [[-1] * 50] * 2

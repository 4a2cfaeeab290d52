"""What items mean, as vectors in memory: all of them in every worker, and the nearest ones to any
direction.

Exact search reads every vector for every user; a graph (HNSW) is about as fast as this, but finds
other items after another order of arrival, and cannot hide an item at once. Here every item's signs
are looked at, see `vector_scan`.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.users.gather import ListRequests
from models.vectors.scan import WORDS_AT_ONCE, Effort, Near, Space, Wanted, add_rows, search

FIRST_CAPACITY = 1024
LARGEST_DIMENSION = 8192


class Sums(NamedTuple):
    """Weighted items to add up for many users; user u's are items[starts[u]:starts[u + 1]], as are
    their weights.
    """

    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]


class Exclusions(NamedTuple):
    """What user u must not be shown: items[starts[u]:starts[u + 1]]."""

    items: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def seen_or_excluded(cls, requests: ListRequests) -> Self:
        """What each user has seen, and what is excluded anyway."""
        seen, excluded = np.diff(requests.starts), np.diff(requests.excluded_starts)
        users = np.arange(requests.users)
        owners = np.concatenate([np.repeat(users, seen), np.repeat(users, excluded)])
        items = np.concatenate([requests.items, requests.excluded])[np.argsort(owners, kind="stable")]
        return cls(items, np.concatenate([[0], np.cumsum(seen + excluded)]).astype(np.int64))


class ItemFilters(NamedTuple):
    """How the items of a vocabulary may be shown, by item number.

    `weight` multiplies the similarity, 0 hides, and items beyond its end count 1. `late` marks
    those with a chance of their own (see `Near`), `keys` decide between equally similar items; both
    cover all items that have a vector.
    """

    weight: NDArray[np.float32]
    late: NDArray[np.bool_]
    keys: NDArray[np.uint64]


class SearchLimits(NamedTuple):
    """How much to find: the k most similar items, `late` more of the late ones, out of `compared`
    compared exactly.

    Nothing of a similarity of `floor` or less is found.
    """

    k: int
    late: int
    compared: int
    floor: float = 0.0


class ItemVectors:
    """Unit vectors by item number, all made by one model; for one thread at a time.

    An item without a vector, or with one of length 0, means nothing and is never found.
    """

    model: str
    dimension: int
    changes: int  # vectors that were set or removed so far
    _count: int
    _end: int  # above the highest item that ever had a vector
    _vectors: NDArray[np.float32]
    _signs: NDArray[np.uint64]
    _known: NDArray[np.bool_]

    def __init__(self) -> None:
        self.model, self.changes = "", 0
        self._begin(0)

    def __len__(self) -> int:
        """The number of items that have a vector."""
        return self._count

    def forget(self) -> None:
        """Drop all vectors; the next ones decide which model and dimension it is."""
        self.model = ""
        self.changes += self._end
        self._begin(0)

    @property
    def rows(self) -> NDArray[np.float32]:
        """Vectors by item number, shape (n, dimension): of length 1, or 0 for items without one;
        valid until the next change.
        """
        return self._vectors

    @property
    def memory_bytes(self) -> int:
        """Bytes that the arrays take."""
        return self._vectors.nbytes + self._signs.nbytes + self._known.nbytes

    def set(self, model: str, items: NDArray[np.int32], vectors: NDArray[np.float32]) -> None:
        """These items, shape (n,), now have these vectors, shape (n, dimension); of an item's two
        the last counts.

        Raises ValueError, and changes nothing, when the vectors are another model's than those
        held, or unfit.
        """
        self._check(model, items, vectors)
        if not len(items):
            return
        if not self._count and self.dimension != vectors.shape[1]:
            self._begin(vectors.shape[1])
        self.model = model
        self._end = max(self._end, int(items.max()) + 1)
        self._grow(self._end)
        units = unit(vectors.astype(np.float32))
        self._vectors[items] = units
        self.changes += len(items)
        # Read back, so that of an item's two vectors the same one counts everywhere.
        self._signs[:, items] = sign_bits(self._vectors[items]).T
        self._known[items] = self._vectors[items].any(axis=1)
        self._count = int(np.count_nonzero(self._known))

    def remove(self, items: NDArray[np.int32]) -> None:
        """These items, shape (n,), have no vector any more."""
        held = items[items < len(self._known)]
        self._vectors[held] = 0
        self.changes += len(held)
        self._known[held] = False
        self._count = int(np.count_nonzero(self._known))

    def has(self, item: int) -> bool:
        """Whether the item has a vector."""
        return item < len(self._known) and bool(self._known[item])

    def held(self, items: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of these items, shape (n,), have a vector."""
        known: NDArray[np.bool_] = np.zeros(len(items), np.bool_)
        inside = items < len(self._known)
        known[inside] = self._known[items[inside]]
        return known

    def add_up(self, sums: Sums) -> NDArray[np.float32]:
        """Each user's weighted sum of item vectors, shape (users, dimension)."""
        total = np.zeros((len(sums.starts) - 1, self.dimension), np.float32)
        add_rows(self._vectors, sums.items, sums.weights, sums.starts, total)
        return total

    def nearest(
        self, wanted: NDArray[np.float32], exclusions: Exclusions, filters: ItemFilters, limits: SearchLimits
    ) -> Near:
        """The items nearest to unit vectors of shape (q, dimension); a vector of length 0 finds
        none.
        """
        shape = (len(wanted), limits.k + limits.late)
        near = Near(np.full(shape, -1, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.int32))
        if self._count and len(wanted):
            asked = Wanted(np.ascontiguousarray(wanted), sign_bits(wanted), exclusions.items, exclusions.starts)
            search(self._space(filters), asked, Effort(limits.compared, limits.k, limits.floor), near)
        return near

    def _space(self, filters: ItemFilters) -> Space:
        weight = np.ones(self._end, np.float32)
        weight[: len(filters.weight)] = filters.weight[: self._end]
        hidden = ~self._known[: self._end] | (weight == 0)
        penalty = hidden.astype(np.uint16) * np.uint16(64 * len(self._signs) + 1)
        return Space(self._signs, self._vectors, weight, penalty, filters.late, filters.keys)

    def _check(self, model: str, items: NDArray[np.int32], vectors: NDArray[np.float32]) -> None:
        if self._count and model != self.model:
            raise ValueError(f"vectors of {model!r} cannot stand beside those of {self.model!r}; forget those first")
        if vectors.ndim != 2 or len(vectors) != len(items):
            raise ValueError(f"{len(items)} items need as many vectors, not an array of shape {vectors.shape}")
        if not 0 < vectors.shape[1] <= LARGEST_DIMENSION:
            raise ValueError(f"a vector has 1 to {LARGEST_DIMENSION} dimensions, not {vectors.shape[1]}")
        if self._count and vectors.shape[1] != self.dimension:
            raise ValueError(f"vectors of {self.model!r} have {self.dimension} dimensions, not {vectors.shape[1]}")
        if not np.isfinite(vectors).all():
            raise ValueError("a vector is not finite")
        if len(items) and items.min() < 0:
            raise ValueError("an item of a vector is negative")

    def _begin(self, dimension: int) -> None:
        self.dimension = dimension
        self._count = 0
        self._end = 0
        words = -(-dimension // (64 * WORDS_AT_ONCE)) * WORDS_AT_ONCE
        self._vectors = np.zeros((0, dimension), np.float32)
        self._signs = np.zeros((words, 0), np.uint64)
        self._known = np.zeros(0, np.bool_)

    def _grow(self, size: int) -> None:
        if size <= len(self._known):
            return
        capacity = max(size, 2 * len(self._known), FIRST_CAPACITY)
        vectors = np.zeros((capacity, self.dimension), np.float32)
        signs = np.zeros((len(self._signs), capacity), np.uint64)
        known = np.zeros(capacity, np.bool_)
        held = len(self._known)
        vectors[:held] = self._vectors
        signs[:, :held] = self._signs
        known[:held] = self._known
        self._vectors, self._signs, self._known = vectors, signs, known


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1 in the same direction, shape (n, dimension); a row of length 0 stays."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def sign_bits(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """One bit a dimension, set where it is positive, in whole groups of words; shape (n, words)."""
    group = 64 * WORDS_AT_ONCE
    bits = np.zeros((len(vectors), -(-vectors.shape[1] // group) * group), np.bool_)
    bits[:, : vectors.shape[1]] = vectors > 0
    return np.packbits(bits, axis=1).view(np.uint64)

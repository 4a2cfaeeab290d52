"""Which items lie nearest to an item in meaning, remembered: that takes a look at every vector."""

import numpy as np
from numpy.typing import NDArray

from models.vectors.item_vectors import Exclusions, ItemFilters, ItemVectors, SearchLimits

NEAR = 20  # items that are remembered as the nearest of one
COMPARED = 200  # vectors, at the least, that are compared exactly for one item
UNKNOWN = -2  # the nearest items of this one were not looked for, or it has no vector
FIRST_ITEMS = 1024


class Likeness:
    """The items nearest to others, looked for when they are first asked for; for one thread at a
    time.

    All are looked for again once more than a hundredth of the vectors changed.
    """

    def __init__(self, vectors: ItemVectors) -> None:
        self._vectors = vectors
        self._changes = 0
        self.near = _unknown(FIRST_ITEMS)

    def look_up(self, items: NDArray[np.int32]) -> NDArray[np.int32]:
        """Make sure of the nearest of these items, shape (n,), and return those of all, (items,
        NEAR): nearest first, padded with numbers below 0.
        """
        vectors = self._vectors
        if abs(vectors.changes - self._changes) * 100 > len(vectors):
            self._changes = vectors.changes
            self.near[:] = UNKNOWN
        if len(items) and (top := int(items.max()) + 1) > len(self.near):
            self.near = np.concatenate([self.near, _unknown(max(top, 2 * len(self.near)) - len(self.near))])
        new = np.unique(items[self.near[items, 0] == UNKNOWN])
        new = new[vectors.held(new)]
        if len(new):
            self.near[new] = self._nearest(new)
        return self.near

    def _nearest(self, items: NDArray[np.int32]) -> NDArray[np.int32]:
        rows = self._vectors.rows
        count, no_weight = len(rows), np.zeros(0, np.float32)
        excluded = Exclusions(items, np.arange(len(items) + 1, dtype=np.int64))
        # Numbers decide between equally near items: they are in the order in which items came.
        keys = np.arange(count, dtype=np.uint64)
        filters = ItemFilters(no_weight, np.zeros(count, np.bool_), keys)
        return self._vectors.nearest(rows[items], excluded, filters, SearchLimits(NEAR, 0, COMPARED)).items


def _unknown(items: int) -> NDArray[np.int32]:
    return np.full((items, NEAR), UNKNOWN, np.int32)

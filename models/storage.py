"""The arrays of the neighbour index: made small, doubled when full."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.postings import CLASSES, SMALLEST_BLOCK, Index, Limits, Lists, refill_table

T = TypeVar("T", bound=np.generic)

FIRST_SLOTS = 1024
FIRST_CELLS = 4096


def make_index() -> Index:
    """An empty index."""
    return Index(
        postings=_make_lists(FIRST_SLOTS),
        sessions=_make_lists(FIRST_SLOTS),
        session_keys=np.zeros(FIRST_SLOTS, np.uint64),
        item_keys=np.zeros(FIRST_SLOTS, np.uint64),
        table=np.full(2 * FIRST_SLOTS, -1, np.int64),
        counters=np.zeros(2, np.int64),
    )


def with_items(index: Index, keys: NDArray[np.uint64]) -> Index:
    """The index with lists for all items of `keys`, whose length is a power of two."""
    return index._replace(postings=_with_owners(index.postings, len(keys)), item_keys=keys)


def with_room(index: Index, limits: Limits) -> Index:
    """The index with room for at least one more event."""
    slots = len(index.session_keys)
    if slots < limits.slots and index.counters[0] == slots:
        index = _with_slots(index, 2 * slots)
    return index._replace(
        postings=_with_cells(index.postings, limits.postings),
        sessions=_with_cells(index.sessions, limits.items),
    )


def memory_bytes(index: Index) -> int:
    """Bytes that the arrays of the index take."""
    arrays = [
        *index.postings,
        *index.sessions,
        index.session_keys,
        index.item_keys,
        index.table,
        index.counters,
    ]
    return sum(array.nbytes for array in arrays)


def _make_lists(owners: int) -> Lists:
    return Lists(
        ids=np.zeros(FIRST_CELLS, np.int64),
        ts=np.zeros(FIRST_CELLS),
        base=np.zeros(owners, np.int64),
        head=np.zeros(owners, np.int32),
        size=np.zeros(owners, np.int32),
        room=np.zeros(owners, np.int32),
        free=np.full(CLASSES, -1, np.int64),
        end=np.zeros(1, np.int64),
    )


def _with_slots(index: Index, slots: int) -> Index:
    keys = np.zeros(slots, np.uint64)
    keys[: len(index.session_keys)] = index.session_keys
    grown = index._replace(
        sessions=_with_owners(index.sessions, slots),
        session_keys=keys,
        table=np.full(2 * slots, -1, np.int64),
    )
    refill_table(grown)
    return grown


def _with_owners(lists: Lists, owners: int) -> Lists:
    return lists._replace(
        base=_longer(lists.base, owners),
        head=_longer(lists.head, owners),
        size=_longer(lists.size, owners),
        room=_longer(lists.room, owners),
    )


def _with_cells(lists: Lists, limit: int) -> Lists:
    needed = int(lists.end[0]) + 2 * limit + SMALLEST_BLOCK
    cells = len(lists.ids)
    if needed <= cells:
        return lists
    cells = max(2 * cells, needed)
    return lists._replace(ids=_longer(lists.ids, cells), ts=_longer(lists.ts, cells))


def _longer(array: NDArray[T], length: int) -> NDArray[T]:
    longer = np.zeros(length, array.dtype)
    longer[: len(array)] = array
    return longer

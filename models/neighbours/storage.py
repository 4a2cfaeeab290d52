"""Make the arrays of the neighbour index, and double them when they are full."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.neighbours.arrays import CELL, CLASSES, OPENED, OWNER, SMALLEST_BLOCK, Index, Lists
from models.neighbours.update import refill_table

T = TypeVar("T", bound=np.generic)

FIRST_SLOTS = 1024
FIRST_CELLS = 4096


def make_index(item_sessions: int, session_items: int, sessions: int) -> Index:
    """Return an empty index.

    It reads at most `item_sessions` sessions of an item, and keeps `session_items` items of a
    session and `sessions` sessions.
    """
    return Index(
        postings=_make_lists(item_sessions),
        sessions=_make_lists(session_items),
        table=np.full(2 * FIRST_SLOTS, -1, np.int64),
        counters=np.zeros(2, np.int64),
        limit=sessions,
    )


def with_items(index: Index, keys: NDArray[np.uint64]) -> Index:
    """Return the index with lists for all items of `keys`, whose length is a power of two."""
    if keys is index.sessions.keys:
        return index
    return index._replace(postings=_with_owners(index.postings, len(keys)), sessions=index.sessions._replace(keys=keys))


def with_room(index: Index) -> Index:
    """Return the index with room for at least one more event."""
    slots = len(index.postings.keys)
    if slots < index.limit and index.counters[OPENED] == slots:
        index = _with_slots(index, 2 * slots)
    return index._replace(postings=_with_cells(index.postings), sessions=_with_cells(index.sessions))


def memory_bytes(index: Index) -> int:
    """Return the bytes that the arrays of the index take."""
    values = [*index.postings, *index.sessions, index.table, index.counters]
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _make_lists(limit: int) -> Lists:
    return Lists(
        cells=np.zeros(FIRST_CELLS, CELL),
        owners=np.zeros(FIRST_SLOTS, OWNER),
        free=np.full(CLASSES, -1, np.int64),
        end=np.zeros(1, np.int64),
        keys=np.zeros(FIRST_SLOTS, np.uint64),
        limit=limit,
    )


def _with_slots(index: Index, slots: int) -> Index:
    grown = index._replace(
        sessions=_with_owners(index.sessions, slots),
        postings=index.postings._replace(keys=_longer(index.postings.keys, slots)),
        table=np.full(2 * slots, -1, np.int64),
    )
    refill_table(grown)
    return grown


def _with_owners(lists: Lists, owners: int) -> Lists:
    return lists._replace(owners=_longer(lists.owners, owners))


def _with_cells(lists: Lists) -> Lists:
    needed = int(lists.end[0]) + max(SMALLEST_BLOCK, 2 * int(lists.owners["room"].max()))
    cells = len(lists.cells)
    if needed <= cells:
        return lists
    return lists._replace(cells=_longer(lists.cells, max(2 * cells, needed)))


def _longer(array: NDArray[T], length: int) -> NDArray[T]:
    longer = np.zeros(length, array.dtype)
    longer[: len(array)] = array
    return longer

"""Write a neighbour index as plain columns: the fewest events that make the same index again.

The columns are what the sessions hold. Postings follow from that. So learning these events again
restores the index, into any size of lists and under any numbering of the items.
"""

import numpy as np
from numpy.typing import NDArray

from models.neighbours.arrays import CLOSED, OPENED, Events, Index, Lists
from models.state import Arrays, columns, require, unpack

Entries = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def list_events(index: Index) -> Events:
    """Return the events, sessions in the order in which they opened: the oldest closes first."""
    opened = np.arange(index.counters[CLOSED], index.counters[OPENED]) & (len(index.postings.keys) - 1)
    slots, items, ts = _entries(index.sessions, opened)
    return Events(index.postings.keys[slots], items.astype(np.int32), ts)


def check_events(arrays: Arrays) -> int:
    """Return the number of names. Raises ValueError if an index could not restore these columns."""
    sessions, items, ts = columns(arrays, sessions=np.uint64, items=np.int32, ts=np.float64)
    names = len(unpack(arrays, "names", "name_starts"))
    require(len(sessions) == len(items) == len(ts), "columns of events differ in length")
    require(not len(items) or (items.min() >= 0 and items.max() < names), "an item has no name")
    require(np.isfinite(ts).all(), "an event time is no number")
    return names


def _entries(lists: Lists, which: NDArray[np.int64]) -> Entries:
    """Return owner, id and ts of all entries of these owners, owner by owner, lists in order."""
    size = lists.owners["size"][which].astype(np.int64)
    places = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    numbers = np.repeat(which, size)
    # Field by field: to take whole records is ten times slower, and holds the interpreter's lock
    # for long.
    base, head, room = (lists.owners[field][numbers] for field in ("base", "head", "room"))
    cells = base + ((head + places) & (room - 1))
    return numbers, lists.cells["id"][cells], lists.cells["ts"][cells]

"""A neighbour index as plain columns: the fewest events that make the same index again.

Because an index is a function of the set of its events, learning these once more restores it, into any size of lists
and under any numbering of the items.
"""

import numpy as np
from numpy.typing import NDArray

from models.postings import CLOSED, OPENED, Index, Lists

Columns = tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.float64]]


def list_events(index: Index) -> Columns:
    """Session hashes, item numbers and times; sessions in the order in which they opened."""
    own, items, ts = _entries(index.sessions)
    opened = _session_of_slot(index)
    kept = opened[own] >= 0
    order = np.argsort(opened[own[kept]], kind="stable")
    shown = (own[kept][order], items[kept][order], ts[kept][order])
    slots, hidden_items, hidden_ts = (np.concatenate(pair) for pair in zip(shown, _hidden(index, opened), strict=True))
    return index.session_keys[slots], hidden_items.astype(np.int32), hidden_ts


def _hidden(
    index: Index, opened: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Postings whose item no longer fits into its session: it still is a way to find that session."""
    items, sessions, ts = _entries(index.postings)
    slots = sessions & (len(opened) - 1)
    alive = opened[slots] == sessions
    items, slots, ts = items[alive], slots[alive], ts[alive]
    own, shown, _ = _entries(index.sessions)
    width = len(index.item_keys)
    hidden = ~np.isin(slots * width + items, own * width + shown)
    return slots[hidden], items[hidden], ts[hidden]


def _session_of_slot(index: Index) -> NDArray[np.int64]:
    slots = len(index.session_keys)
    opened = np.full(slots, -1, np.int64)
    numbers = np.arange(index.counters[CLOSED], index.counters[OPENED])
    opened[numbers & (slots - 1)] = numbers
    return opened


def _entries(lists: Lists) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Owner, id and ts of all entries, owner by owner, each list in its order."""
    owners = np.repeat(np.arange(len(lists.size)), lists.size)
    firsts = np.cumsum(lists.size) - lists.size
    places = np.arange(len(owners)) - firsts[owners]
    cells = lists.base[owners] + ((lists.head[owners] + places) & (lists.room[owners] - 1))
    return owners, lists.ids[cells], lists.ts[cells]

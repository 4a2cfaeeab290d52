"""A neighbour index as plain columns: the fewest events that make the same index again.

Because an index is a function of the set of its events, learning these once more restores it, into any size
of lists and under any numbering of the items.
"""

import numpy as np
from numpy.typing import NDArray

from models.neighbour_arrays import CLOSED, OPENED, Events, Index, Lists

Entries = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def list_events(index: Index) -> Events:
    """The events, sessions in the order in which they opened: that decides who makes room first."""
    slots, items, ts = _entries(index.sessions)
    opened = _session_of_slot(index)
    order = np.argsort(opened[slots], kind="stable")
    hidden_slots, hidden_items, hidden_ts = _hidden(index, opened)
    return Events(
        index.postings.keys[np.concatenate([slots[order], hidden_slots])],
        np.concatenate([items[order], hidden_items]).astype(np.int32),
        np.concatenate([ts[order], hidden_ts]),
    )


def _hidden(index: Index, opened: NDArray[np.int64]) -> Entries:
    """Slot, item and ts of postings whose item no longer fits into its session, but still leads to it."""
    items, sessions, ts = _entries(index.postings)
    slots = sessions & (len(opened) - 1)
    shown_slots, shown_items, _ = _entries(index.sessions)
    width = len(index.postings.size)
    shown = np.isin(slots * width + items, shown_slots * width + shown_items)
    hidden = (opened[slots] == sessions) & ~shown
    return slots[hidden], items[hidden], ts[hidden]


def _session_of_slot(index: Index) -> NDArray[np.int64]:
    slots = len(index.postings.keys)
    opened = np.full(slots, -1, np.int64)
    numbers = np.arange(index.counters[CLOSED], index.counters[OPENED])
    opened[numbers & (slots - 1)] = numbers
    return opened


def _entries(lists: Lists) -> Entries:
    """Owner, id and ts of all entries, owner by owner, each list in its order."""
    owners = np.repeat(np.arange(len(lists.size)), lists.size)
    firsts = np.cumsum(lists.size) - lists.size
    places = np.arange(len(owners)) - firsts[owners]
    cells = lists.base[owners] + ((lists.head[owners] + places) & (lists.room[owners] - 1))
    return owners, lists.ids[cells], lists.ts[cells]

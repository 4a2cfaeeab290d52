"""Takes single entries out of the neighbour index, and finds the sessions that hold one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.neighbours.arrays import Index, Lists
from models.neighbours.update import drop_entry


def take_out(index: Index, session: int, item: int, ts: float) -> bool:
    """Remove the item from the session with this number, if it was last seen there at `ts`.

    Returns whether it was.
    """
    items, times = entries(index.sessions, session & (len(index.postings.keys) - 1))
    found = np.flatnonzero((items == item) & (times == ts))
    if len(found):
        drop_entry(index, session, int(found[0]))
    return len(found) > 0


def sessions_at(index: Index, item: int, ts: float) -> NDArray[np.int64]:
    """Return the numbers of the sessions in which the item was last seen at `ts`."""
    if item >= len(index.postings.owners):
        return np.zeros(0, np.int64)
    sessions, times = entries(index.postings, item)
    found: NDArray[np.int64] = sessions[times == ts]
    return found


def entries(lists: Lists, owner: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ids and times of one list, by time."""
    told: Any = lists.owners[owner]
    cells = told["base"] + ((told["head"] + np.arange(told["size"])) & (max(int(told["room"]), 1) - 1))
    return lists.cells["id"][cells], lists.cells["ts"][cells]

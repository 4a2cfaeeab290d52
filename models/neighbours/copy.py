"""Copy a neighbour index in one moment, so that its columns can be listed while the index goes on.

To get memory that was never written to costs more than to fill it. So `make_room` gets it
beforehand, in another thread.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.neighbours.arrays import Index, Lists

SLACK = 1.05  # the index may grow after its room is made and before it is copied


class Room(NamedTuple):
    """Holds memory for the large arrays of a copy, as bytes; each byte has been written to."""

    postings: NDArray[np.uint8]
    postings_owners: NDArray[np.uint8]
    sessions: NDArray[np.uint8]
    sessions_owners: NDArray[np.uint8]
    keys: NDArray[np.uint8]


def make_room(index: Index) -> Room:
    """Return memory for a copy of the index at its present size, and a little more."""
    return Room(*(np.full(int(SLACK * size), 1, np.uint8) for size in _sizes(index)))


def copy_index(index: Index, room: Room) -> Index:
    """Return what `list_events` reads of the index; later changes of the index do not reach it."""
    postings, sessions = index.postings, index.sessions
    return index._replace(
        postings=postings._replace(
            cells=_copy(postings.cells[: postings.end[0]], room.postings),
            owners=_copy(postings.owners, room.postings_owners),
            keys=_copy(postings.keys, room.keys),
        ),
        sessions=sessions._replace(
            cells=_copy(sessions.cells[: sessions.end[0]], room.sessions),
            owners=_copy(sessions.owners, room.sessions_owners),
        ),
        counters=index.counters.copy(),
    )


def _sizes(index: Index) -> list[int]:
    def of(lists: Lists) -> list[int]:
        return [int(lists.end[0]) * lists.cells.itemsize, lists.owners.nbytes]

    return [*of(index.postings), *of(index.sessions), index.postings.keys.nbytes]


def _copy(array: NDArray[Any], room: NDArray[np.uint8]) -> NDArray[Any]:
    if array.nbytes > len(room):
        return array.copy()
    copied = room[: array.nbytes].view(array.dtype)
    # It is copied as bytes, because numpy copies records field by field.
    copied.view(np.uint8)[:] = array.view(np.uint8)
    return copied

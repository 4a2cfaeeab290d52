"""A copy of a neighbour index: taken in one moment, so that its columns can be listed while the index goes on.

Memory that was never written to costs more to get than to fill, so it can be got beforehand, elsewhere.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.neighbours.arrays import Index, Lists

SLACK = 1.05  # an index may grow between the moment its room is made and the moment it is copied


class Room(NamedTuple):
    """Memory for the large arrays of a copy, as bytes; each has been written to."""

    postings: NDArray[np.uint8]
    postings_owners: NDArray[np.uint8]
    sessions: NDArray[np.uint8]
    sessions_owners: NDArray[np.uint8]
    keys: NDArray[np.uint8]


def make_room(index: Index) -> Room:
    """Memory for a copy of the index as large as it is now, and a little more."""
    return Room(*(np.full(int(SLACK * size), 1, np.uint8) for size in _sizes(index)))


def copy_index(index: Index, room: Room) -> Index:
    """What `list_events` reads of the index, free of the index from now on."""
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
    # As bytes: numpy copies records field by field.
    copied.view(np.uint8)[:] = array.view(np.uint8)
    return copied

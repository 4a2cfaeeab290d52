"""Count the sessions that two items share."""

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.neighbours.arrays import Index, Lists


@kernel
def count_shared(index: Index, item: int, others: NDArray[np.int32], counts: NDArray[np.int32]) -> None:
    """Add to the counts of the others the sessions that hold them and the item.

    Of the sessions of the item, the newest ones are read, as many as predictions read.
    """
    postings, sessions = index.postings, index.sessions
    if item >= len(postings.owners):
        return
    size = postings.owners[item].size
    for i in range(max(0, size - postings.limit), size):
        slot = postings.cells[_cell(postings, item, i)].id & (len(sessions.owners) - 1)
        for place in range(sessions.owners[slot].size):
            held = sessions.cells[_cell(sessions, slot, place)].id
            for other in range(len(others)):
                if others[other] == held:
                    counts[other] += 1


@kernel
def _cell(lists: Lists, owner: int, place: int) -> int:
    return int(lists.owners[owner].base + ((lists.owners[owner].head + place) & (lists.owners[owner].room - 1)))

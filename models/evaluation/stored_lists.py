"""Scores the lists that users have against what they do next, event by event.

An event is a hit if its item stands in the list that was stored when it came; the rank counts from
1. A list never holds the item that its user looks at, so

- a view or click of that item again says nothing, and is not scored;
- a cart or an order of it scores as the event did with which the user came to the item.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

NOTHING = -1
UNSCORED = -1  # the user had no list yet
# The item that a user looks at, its rank in the list before, 0 if it was not there, and what had
# found it.
LOOKED_AT = np.dtype([("item", np.int32), ("rank", np.int32), ("source", np.uint8)])
NOBODY_LOOKS = np.array((NOTHING, UNSCORED, 0), LOOKED_AT)


class ListScores(NamedTuple):
    """Events that were scored, the sum of 1 / rank of hits, and hits by what found the item,
    (sources,).
    """

    scored: int
    reciprocals: float
    hits: NDArray[np.int64]


@kernel
def score_events(
    lists: NDArray[np.int32],
    sources: NDArray[np.uint8],
    looked_at: NDArray[np.void],
    rows: NDArray[np.int64],
    items: NDArray[np.int32],
    taken: bool,
    hits: NDArray[np.int64],
) -> tuple[int, float]:
    """Add to `hits`, and return how many events were scored, and their sum of 1 / rank.

    `lists` and `sources` (users, size) are padded with NOTHING, `looked_at` (users,) moves on;
    `rows` (n,) are the users of the events, and `items` (n,) their items, which were put into a
    cart or ordered if `taken`.
    """
    scored, reciprocals = 0, 0.0
    for event in range(len(items)):
        row, item = rows[event], items[event]
        was = looked_at[row]
        if was.item == item:
            if not taken:
                continue
        else:
            was.item, was.rank, was.source = item, UNSCORED, 0
            if lists[row, 0] != NOTHING:
                was.rank = 0
            for place in range(lists.shape[1]):
                if lists[row, place] == item:
                    was.rank, was.source = place + 1, sources[row, place]
                    break
        if was.rank == UNSCORED:
            continue
        scored += 1
        if was.rank > 0:
            reciprocals += 1.0 / was.rank
            hits[was.source] += 1
    return scored, reciprocals

"""Two rankings into one by reciprocal ranks (Cormack, Clarke and Büttcher, SIGIR 2009), the nearer
in meaning the more.

Ranks need no common scale, while a neighbour's score grows with the log. The weight by similarity
is ours: of all items some are always the nearest, but that says little when they are far away.

    score(i) = share · (1 / (offset + place of i among neighbours)
                        + weight · similarity(i) / (offset + place(i)))

`share` makes an item that is first in both, and the same in meaning, count 1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.ranking.lists import Candidates
from models.vectors.scan import Near


class Balance(NamedTuple):
    """`weight` and `offset` of the formula, and for how many late items a place is reserved."""

    weight: float
    offset: float
    slots: int


def fuse(neighbours: NDArray[np.int32], near: Near, late: NDArray[np.bool_], balance: Balance) -> Candidates:
    """One ranking a row out of neighbours, shape (q, m), best first and padded with -1, and what is
    near in meaning.

    `late` says by item number whether an item is one. `by_meaning` is where meaning counts more;
    `reserved` are the late items nearest in meaning.
    """
    shape = (len(neighbours), neighbours.shape[1] + near.items.shape[1])
    flags = np.zeros((2, *shape), np.bool_)
    fused = Candidates(np.full(shape, -1, np.int32), np.zeros(shape), flags[0], flags[1])
    _fuse(neighbours, near, late, balance, fused)
    return fused


@kernel
def _fuse(
    neighbours: NDArray[np.int32], near: Near, late: NDArray[np.bool_], balance: Balance, fused: Candidates
) -> None:
    weight, offset = balance.weight, balance.offset
    share = (offset + 1) / (1 + weight)
    for user in range(len(neighbours)):
        items, scores, by_meaning = fused.items[user], fused.scores[user], fused.by_meaning[user]
        used, slots = 0, balance.slots
        for place in range(neighbours.shape[1]):
            if neighbours[user, place] >= 0:
                items[used], scores[used] = neighbours[user, place], share / (offset + place + 1)
                used += 1
        first = used
        for column in range(near.items.shape[1]):
            if near.items[user, column] < 0:
                continue
            score = share * weight * near.similarity[user, column] / (offset + near.place[user, column])
            at = 0
            while at < first and items[at] != near.items[user, column]:
                at += 1
            if at == first:
                at = used
                used += 1
            items[at] = near.items[user, column]
            by_meaning[at] = score > scores[at]
            scores[at] += score
            if slots > 0 and late[items[at]]:
                fused.reserved[user, at] = True
                slots -= 1

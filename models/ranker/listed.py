"""From what was ranked to what is listed: without what a user may not see, and with what found
it.
"""

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.ranker.arrays import FoundCandidates
from models.ranking.lists import BRAND, CATEGORY, NEIGHBOURS, SEMANTIC, SESSION, TRANSITIONS, TRENDING


@kernel
def take_profiles(
    recent: NDArray[np.int32], starts: NDArray[np.int64], items: NDArray[np.int32], sizes: NDArray[np.int32]
) -> None:
    """Fill sessions that are empty with their users' recent items.

    User u's are recent[starts[u]:starts[u + 1]], newest first; `items` (users, n) are oldest first.
    """
    for row in range(len(sizes)):
        if sizes[row] == 0:
            count = min(starts[row + 1] - starts[row], items.shape[1])
            for i in range(count):
                items[row, i] = recent[starts[row] + count - 1 - i]
            sizes[row] = count


@kernel
def take_listed(
    best: NDArray[np.int32],
    found: FoundCandidates,
    users: NDArray[np.int64],
    excluded: NDArray[np.int32],
    starts: NDArray[np.int64],
    items: NDArray[np.int32],
    sources: NDArray[np.uint8],
) -> None:
    """Fill the lists of `users` (n,), rows of `items` and `sources`, from `best` (n, width).

    What user u may not see is excluded[starts[u]:starts[u + 1]]. The first source that fits is
    named.
    """
    for row in range(len(users)):
        user, used = users[row], 0
        for i in range(best.shape[1]):
            item = best[row, i]
            if item < 0 or used == items.shape[1]:
                break
            is_excluded = False
            for j in range(starts[user], starts[user + 1]):
                if excluded[j] == item:
                    is_excluded = True
                    break
            if not is_excluded:
                items[user, used], sources[user, used] = item, _source_of(found, row, item)
                used += 1


@kernel
def _source_of(found: FoundCandidates, row: int, item: int) -> int:
    source = TRENDING
    for i in range(found.sizes[row]):
        if found.items[row, i] == item:
            said = found.said[row, i]
            if said.place >= 0:
                source = SESSION
            elif said.forward_all > 0:
                source = TRANSITIONS
            elif said.votes > 0 or said.together_all > 0 or said.backward_all > 0:
                source = NEIGHBOURS
            elif said.like_rank > 0:
                source = SEMANTIC
            elif said.brand_rank > 0 or said.beside_rank > 0:
                source = BRAND
            elif said.category_rank > 0:
                source = CATEGORY
            break
    return source

"""Which items a list may hold: several bounded sources, united, and the best of them kept.

The session's own items come first, then the best by a prior that adds up what neighbours and
relations say, then what is popular in the last item's category, of its brand, and everywhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.ranker.relation_kernel import BACKWARD, FORWARD, NEXT, TOGETHER, Relations
from models.ranker.shelf import Shelf

NO_ITEM = -1

# Bounds of the sources, in items of one list.
RECENT = 32  # distinct items of the session, the newest first
FROM = 8  # of these, items whose relations are read
RELATED = 100  # best by the prior
NEIGHBOURS = 100
BY_CATEGORY = 30
BY_BRAND = 10
POPULAR = 10
BESIDE = 10  # on either side of the last item, in the order of prices
MOST = RECENT + RELATED + BY_CATEGORY + BY_BRAND + POPULAR + 2 * BESIDE

DECAY = 0.7  # weight of an item of the session against the one after it
ROW_PRIOR = 2.0  # weight that a row's sum has more than its pairs
SHRINKAGE = 10.0

# Columns of what the sources say of a candidate.
VOTES = 0  # the formula's score, against the best of the list
FORWARD_LAST = 1
NEXT_LAST = 2
FORWARD_BEFORE = 3  # from the item before the last one
FORWARD_ALL = 4
BACKWARD_ALL = 5
TOGETHER_ALL = 6
PLACE = 7  # place from the end among the session's distinct items; -1 if it is none of them
TIMES = 8  # times that the session had it
FOLLOWED = 9  # times that it followed the last item in this session
VOTE_RANK = 10  # 1 / (1 + rank among the neighbours' items), 0 if it is none of them
CATEGORY_RANK = 11  # 1 / (1 + rank in the last item's category), 0 if it is not in that list
POPULAR_RANK = 12  # 1 / (1 + rank in the list of all), 0 if it is not in it
BRAND_RANK = 13  # 1 / (1 + rank among those of the last item's brand), 0 if it is not in that list
BESIDE_RANK = 14  # 1 / (1 + places between it and the last item in the order of prices)
SAYINGS = 15


class Sources(NamedTuple):
    """What candidates come from: relations as of `now` in seconds, and the popular items of groups
    end to end, those of group g at [starts[g], starts[g + 1]); the last group is that of all.

    `group` (items,) is the group of each item, its category; `weight` (items,) is 0 for what is not
    shown.
    """

    relations: Relations
    now: float
    rate: float
    popular: NDArray[np.int32]
    starts: NDArray[np.int64]
    group: NDArray[np.int32]
    branded: NDArray[np.int32]
    brand_starts: NDArray[np.int64]
    brand: NDArray[np.int32]
    shelf: Shelf
    weight: NDArray[np.float32]


class Sessions(NamedTuple):
    """Sessions so far: `items` (n, TRAIL), oldest first, their `sizes` (n,), and what neighbours
    found for each: `voted` (n, NEIGHBOURS), padded, with `votes`.
    """

    items: NDArray[np.int32]
    sizes: NDArray[np.int32]
    voted: NDArray[np.int32]
    votes: NDArray[np.float32]


class Found(NamedTuple):
    """Candidates of each session: `items` (n, MOST), padded, `said` (n, MOST, SAYINGS) and their
    numbers, `sizes` (n,).
    """

    items: NDArray[np.int32]
    said: NDArray[np.float32]
    sizes: NDArray[np.int32]

    @classmethod
    def empty(cls, sessions: int) -> "Found":
        """Room for this many sessions."""
        return cls(
            np.full((sessions, MOST), NO_ITEM, np.int32),
            np.zeros((sessions, MOST, SAYINGS), np.float32),
            np.zeros(sessions, np.int32),
        )


class Pool(NamedTuple):
    """Workspace: items met so far with what is said of them; `place` (items,) is that in the pool
    plus `begun`, so that it need not be emptied.
    """

    items: NDArray[np.int32]
    said: NDArray[np.float32]
    prior: NDArray[np.float32]
    order: NDArray[np.int32]
    place: NDArray[np.int64]
    used: NDArray[np.int64]


def make_pool(items: int, most_related: int) -> Pool:
    """A workspace for items below `items`."""
    size = NEIGHBOURS + FROM * most_related + MOST
    return Pool(
        np.zeros(size, np.int32),
        np.zeros((size, SAYINGS), np.float32),
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.full(items, -1, np.int64),
        np.zeros(2, np.int64),
    )


@kernel
def distinct(items: NDArray[np.int32], size: int, recent: NDArray[np.int32]) -> int:
    """Put the distinct items into `recent`, newest first, as many as fit; returns their number."""
    found = 0
    for i in range(size - 1, -1, -1):
        known = False
        for j in range(found):
            if recent[j] == items[i]:
                known = True
                break
        if not known:
            recent[found] = items[i]
            found += 1
            if found == len(recent):
                break
    return found


@kernel
def recent_of(items: NDArray[np.int32], sizes: NDArray[np.int32], recent: NDArray[np.int32]) -> None:
    """Fill `recent` (n, RECENT) with each session's distinct items, newest first."""
    for row in range(len(sizes)):
        distinct(items[row], sizes[row], recent[row])


@kernel
def find(sources: Sources, sessions: Sessions, pool: Pool, found: Found) -> None:
    """Fill `found`, one row a session."""
    recent = np.zeros(RECENT, np.int32)
    for row in range(len(sessions.sizes)):
        pool.used[1] += pool.used[0]
        pool.used[0] = 0
        size = sessions.sizes[row]
        count = distinct(sessions.items[row], size, recent)
        _take_own(pool, sessions.items[row], size, recent[:count])
        own = pool.used[0]
        _take_votes(pool, sources.weight, sessions.voted[row], sessions.votes[row])
        _take_related(pool, sources, recent[: min(count, FROM)])
        related = pool.used[0]
        if size > 0:
            last = recent[0]
            _take_group(pool, sources.popular, sources.starts, sources.group, last, BY_CATEGORY, CATEGORY_RANK)
            _take_group(pool, sources.branded, sources.brand_starts, sources.brand, last, BY_BRAND, BRAND_RANK)
            _take_beside(pool, sources.shelf, last)
        _take_popular(pool, sources.popular, sources.starts, len(sources.starts) - 2, POPULAR, POPULAR_RANK)
        _keep(pool, sources, own, related, found, row)


@kernel
def _meet(pool: Pool, item: int) -> int:
    place = pool.place[item] - pool.used[1]
    if place >= 0:
        return int(place)
    place = pool.used[0]
    pool.used[0] = place + 1
    pool.place[item] = place + pool.used[1]
    pool.items[place] = item
    pool.prior[place] = 0.0
    for column in range(SAYINGS):
        pool.said[place, column] = 0.0
    pool.said[place, PLACE] = -1.0
    return int(place)


@kernel
def _take_own(pool: Pool, items: NDArray[np.int32], size: int, recent: NDArray[np.int32]) -> None:
    for i in range(len(recent)):
        pool.said[_meet(pool, recent[i]), PLACE] = i
    for i in range(size):
        place = pool.place[items[i]] - pool.used[1]
        if place >= 0:
            pool.said[place, TIMES] += 1.0
            if i > 0 and items[i - 1] == recent[0]:
                pool.said[place, FOLLOWED] += 1.0


@kernel
def _take_votes(pool: Pool, weight: NDArray[np.float32], voted: NDArray[np.int32], votes: NDArray[np.float32]) -> None:
    for i in range(len(voted)):
        if voted[i] < 0:
            break
        place = _meet(pool, voted[i])
        pool.said[place, VOTES] = votes[i] / votes[0]
        pool.said[place, VOTE_RANK] = 1.0 / (1.0 + i)
        pool.prior[place] += votes[i] / votes[0]


@kernel
def _take_related(pool: Pool, sources: Sources, recent: NDArray[np.int32]) -> None:
    relations, share = sources.relations, 1.0
    for i in range(len(recent)):
        item = recent[i]
        if item < len(relations.base) and relations.size[item] > 0:
            # Weights count as of since[item]: a prior of today weighs that much more in them.
            scale = np.exp(min((sources.now - relations.since[item]) * sources.rate, 80.0))
            forward = share / (relations.totals[item, FORWARD] + ROW_PRIOR * scale)
            onward = 1.0 / (relations.totals[item, NEXT] + ROW_PRIOR * scale)
            backward = share / (relations.totals[item, BACKWARD] + ROW_PRIOR * scale)
            together = share / np.sqrt((relations.seen[item] + SHRINKAGE * scale) * scale)
            base = relations.base[item]
            for cell in range(base, base + relations.size[item]):
                other = relations.items[cell]
                if other < len(sources.weight) and sources.weight[other] <= 0:
                    continue
                place = _meet(pool, other)
                said = pool.said[place]
                ahead = relations.weights[cell, FORWARD] * forward
                said[FORWARD_ALL] += ahead
                said[BACKWARD_ALL] += relations.weights[cell, BACKWARD] * backward
                said[TOGETHER_ALL] += relations.weights[cell, TOGETHER] * together
                if i == 0:
                    said[FORWARD_LAST] = ahead
                    said[NEXT_LAST] = relations.weights[cell, NEXT] * onward
                elif i == 1:
                    said[FORWARD_BEFORE] = ahead / share
        share *= DECAY


@kernel
def _take_popular(
    pool: Pool, items: NDArray[np.int32], starts: NDArray[np.int64], group: int, most: int, column: int
) -> None:
    start = starts[group]
    for i in range(start, min(start + most, starts[group + 1])):
        pool.said[_meet(pool, items[i]), column] = 1.0 / (1.0 + i - start)


@kernel
def _take_group(
    pool: Pool,
    items: NDArray[np.int32],
    starts: NDArray[np.int64],
    groups: NDArray[np.int32],
    last: int,
    most: int,
    column: int,
) -> None:
    group = groups[last] if last < len(groups) else -1
    # The last list is that of all items.
    if group >= 0 and group < len(starts) - 2:
        _take_popular(pool, items, starts, group, most, column)


@kernel
def _take_beside(pool: Pool, shelf: Shelf, last: int) -> None:
    place = shelf.place[last] if last < len(shelf.place) else -1
    if place < 0:
        return
    for at in range(max(0, place - BESIDE), min(len(shelf.items), place + BESIDE + 1)):
        if at != place and shelf.group[at] == shelf.group[place]:
            pool.said[_meet(pool, shelf.items[at]), BESIDE_RANK] = 1.0 / abs(at - place)


@kernel
def _keep(pool: Pool, sources: Sources, own: int, related: int, found: Found, row: int) -> None:
    """Keep the session's own items, the best related ones by the prior, and all popular ones."""
    forward, together = np.float32(1e-9), np.float32(1e-9)
    for place in range(own, related):
        _divide(pool, sources, place)
        forward = max(forward, pool.said[place, FORWARD_ALL])
        together = max(together, pool.said[place, TOGETHER_ALL])
    for place in range(own):
        _divide(pool, sources, place)
    for place in range(own, related):
        said = pool.said[place]
        pool.prior[place] += said[FORWARD_ALL] / forward + np.float32(0.5) * said[TOGETHER_ALL] / together
        pool.order[place - own] = place
    kept = min(RELATED, related - own)
    _choose(pool.prior, pool.order, related - own, kept)
    out = 0
    for i in range(own):
        out = _put(pool, found, row, out, i)
    for i in range(kept):
        out = _put(pool, found, row, out, pool.order[i])
    for i in range(related, pool.used[0]):
        out = _put(pool, found, row, out, i)
    for i in range(kept, related - own):
        place = pool.order[i]
        if pool.said[place, CATEGORY_RANK:].max() > 0:
            out = _put(pool, found, row, out, place)
    found.sizes[row] = out


@kernel
def _divide(pool: Pool, sources: Sources, place: int) -> None:
    """Divide what occurred together by how often the item itself occurred, which makes a cosine."""
    relations, item = sources.relations, pool.items[place]
    count = 0.0
    if item < len(relations.seen):
        count = relations.seen[item] * np.exp(-min((sources.now - relations.since[item]) * sources.rate, 80.0))
    pool.said[place, TOGETHER_ALL] /= np.sqrt(count + SHRINKAGE)


@kernel
def _put(pool: Pool, found: Found, row: int, out: int, place: int) -> int:
    found.items[row, out] = pool.items[place]
    for column in range(SAYINGS):
        found.said[row, out, column] = pool.said[place, column]
    return out + 1


@kernel
def _choose(prior: NDArray[np.float32], order: NDArray[np.int32], count: int, most: int) -> None:
    """Move the `most` places with the largest prior to the front of `order`, by quickselect."""
    low, high = 0, count - 1
    while low < high and most < count:
        pivot = prior[order[(low + high) // 2]]
        i, j = low, high
        while i <= j:
            while prior[order[i]] > pivot:
                i += 1
            while pivot > prior[order[j]]:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if most - 1 <= j:
            high = j
        elif most - 1 >= i:
            low = i
        else:
            break

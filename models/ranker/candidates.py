"""Which items a list may hold: several bounded sources, united, and the best of them kept.

The session's own items come first, then the best by a prior that adds up what neighbours and
relations say, then what is popular in the last item's category, of its brand, and everywhere, what
lies beside the last item in the order of prices, and what is nearest to it in meaning.
"""

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.ranker.arrays import (
    FROM,
    POPULAR,
    RECENT,
    RELATED,
    CandidatePool,
    CandidateSources,
    FoundCandidates,
    Groups,
    Sessions,
)
from models.ranker.relation_kernel import BACKWARD, FORWARD, NEXT, TOGETHER
from models.ranker.shelf import Shelf

DECAY = 0.7  # weight of an item of the session against the one after it
ROW_PRIOR = 2.0  # weight that a row's sum has more than its pairs
SHRINKAGE = 10.0
BY_CATEGORY, BY_BRAND, BY_ALL = 0, 1, 2  # which rank a popular item has


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
def find(sources: CandidateSources, sessions: Sessions, pool: CandidatePool, found: FoundCandidates) -> None:
    """Fill `found`, one row a session."""
    recent = np.zeros(RECENT, np.int32)
    for row in range(len(sessions.sizes)):
        pool.used[1] += pool.used[0]
        pool.used[0] = 0
        size = sessions.sizes[row]
        count = distinct(sessions.items[row], size, recent)
        _take_own(pool, sessions.items[row], size, recent[:count])
        own = pool.used[0]
        _take_votes(pool, sessions.voted[row], sessions.votes[row])
        _take_related(pool, sources, recent[: min(count, FROM)])
        related = pool.used[0]
        if size > 0:
            last = recent[0]
            _take_group(pool, sources.categories, last, BY_CATEGORY)
            _take_group(pool, sources.brands, last, BY_BRAND)
            _take_beside(pool, sources.shelf, last, sources.beside)
            _take_like(pool, sources, last)
        categories = sources.categories
        _take_popular(pool, categories, len(categories.starts) - 2, POPULAR, BY_ALL)
        _keep(pool, sources, own, related, found, row)


@kernel
def _meet(pool: CandidatePool, item: int) -> int:
    place = pool.place[item] - pool.used[1]
    if place >= 0:
        return int(place)
    place = pool.used[0]
    pool.used[0] = place + 1
    pool.place[item] = place + pool.used[1]
    pool.items[place] = item
    pool.prior[place] = 0.0
    pool.said[place] = pool.blank[0]
    return int(place)


@kernel
def _take_own(pool: CandidatePool, items: NDArray[np.int32], size: int, recent: NDArray[np.int32]) -> None:
    for i in range(len(recent)):
        pool.said[_meet(pool, recent[i])].place = i
    for i in range(size):
        place = pool.place[items[i]] - pool.used[1]
        if place >= 0:
            pool.said[place].times += 1.0
            if i > 0 and items[i - 1] == recent[0]:
                pool.said[place].followed += 1.0


@kernel
def _take_votes(pool: CandidatePool, voted: NDArray[np.int32], votes: NDArray[np.float32]) -> None:
    for i in range(len(voted)):
        if voted[i] < 0:
            break
        place = _meet(pool, voted[i])
        pool.said[place].votes = votes[i] / votes[0]
        pool.said[place].vote_rank = 1.0 / (1.0 + i)
        pool.prior[place] += votes[i] / votes[0]


@kernel
def _take_related(pool: CandidatePool, sources: CandidateSources, recent: NDArray[np.int32]) -> None:
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
                said.forward_all += ahead
                said.backward_all += relations.weights[cell, BACKWARD] * backward
                said.together_all += relations.weights[cell, TOGETHER] * together
                if i == 0:
                    said.forward_last = ahead
                    said.next_last = relations.weights[cell, NEXT] * onward
                elif i == 1:
                    said.forward_before = ahead / share
        share *= DECAY


@kernel
def _take_popular(pool: CandidatePool, groups: Groups, group: int, most: int, rank: int) -> None:
    start = groups.starts[group]
    for i in range(start, min(start + most, groups.starts[group + 1])):
        said, share = pool.said[_meet(pool, groups.items[i])], np.float32(1.0 / (1.0 + i - start))
        if rank == BY_CATEGORY:
            said.category_rank = share
        elif rank == BY_BRAND:
            said.brand_rank = share
        else:
            said.popular_rank = share


@kernel
def _take_group(pool: CandidatePool, groups: Groups, last: int, rank: int) -> None:
    group = groups.group[last] if last < len(groups.group) else -1
    # The last list is that of all items.
    if group >= 0 and group < len(groups.starts) - 2:
        _take_popular(pool, groups, group, groups.most, rank)


@kernel
def _take_beside(pool: CandidatePool, shelf: Shelf, last: int, most: int) -> None:
    place = shelf.place[last] if last < len(shelf.place) else -1
    if place < 0:
        return
    for at in range(max(0, place - most), min(len(shelf.items), place + most + 1)):
        if at != place and shelf.group[at] == shelf.group[place]:
            pool.said[_meet(pool, shelf.items[at])].beside_rank = 1.0 / abs(at - place)


@kernel
def _take_like(pool: CandidatePool, sources: CandidateSources, last: int) -> None:
    if last >= len(sources.like):
        return
    for i in range(sources.like.shape[1]):
        other = sources.like[last, i]
        if other < 0:
            break
        if other >= len(sources.weight) or sources.weight[other] > 0:
            pool.said[_meet(pool, other)].like_rank = 1.0 / (1.0 + i)


@kernel
def _keep(
    pool: CandidatePool, sources: CandidateSources, own: int, related: int, found: FoundCandidates, row: int
) -> None:
    """Keep the session's own items, the best related ones by the prior, and all popular ones."""
    forward, together = np.float32(1e-9), np.float32(1e-9)
    _divide(pool, sources, related)
    for place in range(own, related):
        forward = max(forward, pool.said[place].forward_all)
        together = max(together, pool.said[place].together_all)
    for place in range(own, related):
        said = pool.said[place]
        pool.prior[place] += said.forward_all / forward + np.float32(0.5) * said.together_all / together
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
        said = pool.said[place]
        if said.category_rank + said.brand_rank + said.popular_rank + said.beside_rank + said.like_rank > 0:
            out = _put(pool, found, row, out, place)
    found.sizes[row] = out


@kernel
def _divide(pool: CandidatePool, sources: CandidateSources, related: int) -> None:
    """Divide what occurred together by how often the item itself occurred, which makes a cosine.

    All in one call: a call for each of them took most of a list's time.
    """
    relations = sources.relations
    for place in range(related):
        item, count = pool.items[place], 0.0
        if item < len(relations.seen):
            count = relations.seen[item] * np.exp(-min((sources.now - relations.since[item]) * sources.rate, 80.0))
        pool.said[place].together_all /= np.sqrt(count + SHRINKAGE)


@kernel
def _put(pool: CandidatePool, found: FoundCandidates, row: int, out: int, place: int) -> int:
    found.items[row, out] = pool.items[place]
    found.said[row, out] = pool.said[place]
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

"""Trending lists as arrays, for compiled code: overall and within each category."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.users.arrays import Names


class Popularity(NamedTuple):
    """Trending lists end to end, the most popular first: category c's is items[starts[c]:starts[c +
    1]], and the last one is that of all items. `shares` are popularity against the most popular
    item."""

    items: NDArray[np.int32]
    shares: NDArray[np.float64]
    starts: NDArray[np.int64]


class Pool(NamedTuple):
    """Items that may be in a list, by share, the largest first; equal shares in any order."""

    items: NDArray[np.int32]
    shares: NDArray[np.float64]


NOTHING_POPULAR = Popularity(np.zeros(0, np.int32), np.zeros(0), np.zeros(2, np.int64))


def popularity(pool: Pool, category: NDArray[np.int32], categories: int, names: Names, n: int) -> Popularity:
    """Lists of at most n items each, ties broken by name; `category` is the number of each item's,
    -1 for none.
    """
    place = np.arange(len(pool.items))
    _sort(pool, names, place, np.empty_like(place))
    items, shares = pool.items[place], pool.shares[place]
    known = items < len(category)
    own = np.where(known, category[np.where(known, items, 0)], -1) if len(category) else np.full(len(items), -1)
    sizes = np.minimum(np.bincount(own + 1, minlength=categories + 1)[1:], n)
    starts = np.concatenate([[0], np.cumsum(sizes), [sizes.sum() + min(n, len(items))]]).astype(np.int64)
    lists = Popularity(np.empty(starts[-1], np.int32), np.empty(starts[-1]), starts)
    _fill(items, shares, own.astype(np.int64), lists)
    return lists


@kernel
def _fill(items: NDArray[np.int32], shares: NDArray[np.float64], own: NDArray[np.int64], lists: Popularity) -> None:
    overall = len(lists.starts) - 2
    used = lists.starts.copy()
    for i in range(len(items)):
        for row in (own[i], overall):
            if row >= 0 and used[row] < lists.starts[row + 1]:
                lists.items[used[row]], lists.shares[used[row]] = items[i], shares[i]
                used[row] += 1


@kernel
def _sort(pool: Pool, names: Names, place: NDArray[np.int64], spare: NDArray[np.int64]) -> None:
    """Merge sort: by share, then by name."""
    width, count = 1, len(place)
    while width < count:
        for low in range(0, count, 2 * width):
            middle, high = min(low + width, count), min(low + 2 * width, count)
            i, j = low, middle
            for at in range(low, high):
                if j == high or (i < middle and not _comes_first(pool, names, place[j], place[i])):
                    spare[at] = place[i]
                    i += 1
                else:
                    spare[at] = place[j]
                    j += 1
        place[:] = spare
        width *= 2


@kernel
def _comes_first(pool: Pool, names: Names, one: int, other: int) -> bool:
    """By share, then by name; the byte order of UTF-8 is that of the code points."""
    if pool.shares[one] != pool.shares[other]:
        return bool(pool.shares[one] > pool.shares[other])
    start, end = names.starts[pool.items[one]], names.starts[pool.items[one] + 1]
    other_start, other_end = names.starts[pool.items[other]], names.starts[pool.items[other] + 1]
    for i in range(min(end - start, other_end - other_start)):
        if names.text[start + i] != names.text[other_start + i]:
            return bool(names.text[start + i] < names.text[other_start + i])
    return bool(end - start < other_end - other_start)

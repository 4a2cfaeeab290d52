"""The compiled half of ranking: candidates by score, then each fallback's items in its order until
a list is full.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.list_writer import POWERS
from models.kernel import kernel
from models.ranking.lists import (
    CATEGORY,
    NEIGHBOURS,
    SCORE_DIGITS,
    SEMANTIC,
    SHARE_DIGITS,
    TRENDING,
    Candidates,
    RankedLists,
)
from models.ranking.popularity import Popularity
from models.users.gather import ListRequests

DIGITS = float(10**SCORE_DIGITS)
SPLIT = 134217729.0  # 2 ^ 27 + 1: cuts a float into two halves whose products are exact
LOWEST_SHARE = float(10 ** (SHARE_DIGITS - 1))  # a whole number of SHARE_DIGITS digits is at least this


class Shop(NamedTuple):
    """Items by number: names as UTF-8, name i at text[starts[i]:starts[i + 1]], and categories, -1
    for none.
    """

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    category: NDArray[np.int32]


class Marks(NamedTuple):
    """Workspace: by item and by category, the number of the list that last held or excluded it.

    `done` lists were numbered before, so the arrays need not be emptied.
    """

    items: NDArray[np.int64]
    categories: NDArray[np.int64]
    done: int


def with_room(marks: Marks, items: int, categories: int) -> Marks:
    """A workspace for n items and categories."""
    if len(marks.items) >= items and len(marks.categories) >= categories:
        return marks
    return Marks(np.zeros(2 * items + 1, np.int64), np.zeros(2 * categories + 1, np.int64), 0)


@kernel
def rank(
    found: Candidates, asked: ListRequests, shop: Shop, popular: Popularity, marks: Marks, lists: RankedLists
) -> None:
    """Fill the lists, one row a user.

    A fallback's scores are its popularity, scaled to be below everything before it.
    """
    size, width = lists.items.shape[1], found.items.shape[1]
    others = Candidates(
        np.empty((1, size), np.int32), np.empty((1, size)), np.empty((1, size), np.bool_), np.empty((1, size), np.bool_)
    )
    reserved = Candidates(
        np.empty((1, size), np.int32), np.empty((1, size)), np.empty((1, size), np.bool_), np.empty((1, size), np.bool_)
    )
    for user in range(len(lists.items)):
        most, kept = 0, 0
        for i in range(width):
            if found.items[user, i] >= 0 and found.scores[user, i] > 0:
                if found.reserved[user, i]:
                    kept = _insert(shop, found, user, i, reserved, kept)
                else:
                    most = _insert(shop, found, user, i, others, most)
        used = _merge(shop, others, min(most, size - kept), reserved, kept, lists, user)
        if used < size:
            _fill_up(asked, shop, popular, marks, lists, user, used)


@kernel
def _insert(shop: Shop, found: Candidates, user: int, i: int, best: Candidates, count: int) -> int:
    """Put a candidate where it belongs among the best ones; returns how many there are."""
    items, scores, size = best.items[0], best.scores[0], best.items.shape[1]
    item, score = found.items[user, i], round_score(found.scores[user, i])
    if count == size and not _comes_first(shop, score, item, scores[size - 1], items[size - 1]):
        return count
    place = min(count, size - 1)
    while place > 0 and _comes_first(shop, score, item, scores[place - 1], items[place - 1]):
        items[place], scores[place] = items[place - 1], scores[place - 1]
        best.by_meaning[0, place] = best.by_meaning[0, place - 1]
        place -= 1
    items[place], scores[place], best.by_meaning[0, place] = item, score, found.by_meaning[user, i]
    return int(min(count + 1, size))


@kernel
def _merge(
    shop: Shop, others: Candidates, most: int, reserved: Candidates, kept: int, lists: RankedLists, user: int
) -> int:
    i = j = 0
    while i < most or j < kept:
        from_others = j == kept or (
            i < most
            and _comes_first(shop, others.scores[0, i], others.items[0, i], reserved.scores[0, j], reserved.items[0, j])
        )
        best, at = (others, i) if from_others else (reserved, j)
        lists.items[user, i + j] = best.items[0, at]
        lists.scores[user, i + j] = best.scores[0, at]
        lists.sources[user, i + j] = SEMANTIC if best.by_meaning[0, at] else NEIGHBOURS
        if from_others:
            i += 1
        else:
            j += 1
    return i + j


@kernel
def _fill_up(
    asked: ListRequests, shop: Shop, popular: Popularity, marks: Marks, lists: RankedLists, user: int, used: int
) -> None:
    mark = marks.done + user + 1
    for i in range(used):
        marks.items[lists.items[user, i]] = mark
    for i in range(asked.excluded_starts[user], asked.excluded_starts[user + 1]):
        marks.items[asked.excluded[i]] = mark
    last = len(popular.starts) - 2
    for i in range(asked.starts[user], asked.starts[user + 1]):
        item = asked.items[i]
        category = shop.category[item] if item < len(shop.category) else -1
        if category < 0 or category >= last or marks.categories[category] == mark:
            continue
        marks.categories[category] = mark
        used = _add(popular, category, CATEGORY, marks, lists, user, used)
    _add(popular, last, TRENDING, marks, lists, user, used)


@kernel
def _add(popular: Popularity, row: int, source: int, marks: Marks, lists: RankedLists, user: int, used: int) -> int:
    """Add the items of one fallback as far as there is room; returns the length of the list."""
    mark = marks.done + user + 1
    first, best, highest = used, 0.0, 0.0
    for i in range(popular.starts[row], popular.starts[row + 1]):
        if used == lists.items.shape[1]:
            break
        item, share = popular.items[i], popular.shares[i]
        if marks.items[item] == mark:
            continue
        if used == first:
            best = share
            highest = 0.5 * lists.scores[user, first - 1] if first > 0 else best
        marks.items[item] = mark
        lists.items[user, used] = item
        lists.scores[user, used] = round_share(highest * (share / best))
        lists.sources[user, used] = source
        used += 1
    return used


@kernel
def round_score(score: float) -> float:
    """What Python's round(score, 6) gives, for scores of 0 to 10^9: the nearest decimal, the even
    one of two.
    """
    return float(_scaled(score, DIGITS) / DIGITS)


@kernel
def round_share(score: float) -> float:
    """What Python's float(f"{score:.6g}") gives, for scores of 1e-17 to 10^6; smaller ones are
    returned as they are.

    Significant digits: what is a million times less popular than the best still has its own score.
    """
    power = 0
    while power < len(POWERS) and score * POWERS[power] < LOWEST_SHARE:
        power += 1
    if power == len(POWERS):
        return score
    return float(_scaled(score, POWERS[power]) / POWERS[power])


@kernel
def _scaled(score: float, scale: float) -> float:
    """The whole number next to score * scale, the even one of two; `scale` is a power of ten that
    is exact.
    """
    scaled = score * scale
    whole = math.floor(scaled)
    half = whole + 0.5
    if abs(scaled - half) > 1e-3 and scaled < 1e12:
        return float(np.rint(scaled))
    # Near the middle the product's rounding error decides: Dekker's exact product tells it.
    high, scale_high = score * SPLIT - (score * SPLIT - score), scale * SPLIT - (scale * SPLIT - scale)
    low, scale_low = score - high, scale - scale_high
    error = low * scale_low - (((scaled - high * scale_high) - low * scale_high) - high * scale_low)
    distance = (scaled - half) + error
    if distance > 0 or (distance == 0 and whole % 2 == 1):
        whole += 1
    return float(whole)


@kernel
def _comes_first(shop: Shop, score: float, item: int, other_score: float, other: int) -> bool:
    """By score, then by name; the byte order of UTF-8 is that of the code points."""
    if score != other_score:
        return score > other_score
    start, end = shop.starts[item], shop.starts[item + 1]
    other_start, other_end = shop.starts[other], shop.starts[other + 1]
    for i in range(min(end - start, other_end - other_start)):
        if shop.text[start + i] != shop.text[other_start + i]:
            return bool(shop.text[start + i] < shop.text[other_start + i])
    return bool(end - start < other_end - other_start)

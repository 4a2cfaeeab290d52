"""Which ranker leads: each is measured on what came next before it learns from it.

A ranker's gain on a list is its hit among the first K, plus 1 / rank. Gains are averaged with a
window of about WINDOW lists. The formula leads until a learned one gains more by more than noise:
by more than MARGIN standard errors of the difference.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

K = 20
WINDOW = 4_000.0
MARGIN = 1.0
LARGEST_GAIN = 2.0  # a hit in the first place
MOST_LISTS, TINY = 2.0**53, 1e-100  # so that squares neither overflow nor vanish
ROUNDING = 1e-6  # what sums may be off
LEAST = 50  # lists before a learned ranker may lead
FORMULA, LINEAR, HIDDEN = "formula", "linear", "hidden"
RANKERS = (FORMULA, LINEAR, HIDDEN)


class RankerJudge:
    """Means of gains per ranker, and of their differences; lists count as much as they weigh.

    `hits` and `reciprocals` (rankers,) are means over the window, which may be infinite.
    """

    def __init__(self, window: float = WINDOW, least: int = LEAST) -> None:
        """A learned ranker may lead after `least` lists."""
        self._least = least
        self._fade = 1.0 - 1.0 / window
        count = len(RANKERS)
        self.hits, self.reciprocals = np.zeros(count), np.zeros(count)
        self._difference, self._square = np.zeros((count, count)), np.zeros((count, count))
        # Lists, and faded sums of their weights and of these squared.
        self._seen = np.zeros(3)

    @property
    def lists(self) -> int:
        """Lists that were counted."""
        return int(self._seen[0])

    def add(self, ranks: NDArray[np.int32], weights: NDArray[np.float32]) -> None:
        """Count lists: ranks from 1, shape (n, rankers), 0 where the item was not in the list, and
        what each list weighs, (n,), above 0 to 1.
        """
        _count(ranks, weights, self._fade, self._seen, self.hits, self.reciprocals, self._difference, self._square)

    def better(self) -> str:
        """The learned ranker that gained more, the linear one if both gained alike."""
        gains = self.hits + self.reciprocals
        return HIDDEN if gains[RANKERS.index(HIDDEN)] > gains[RANKERS.index(LINEAR)] else LINEAR

    def state(self) -> NDArray[np.float64]:
        """What was counted, as one column that `resume` takes."""
        parts = (self._seen, self.hits, self.reciprocals, self._difference, self._square)
        return np.concatenate([each.ravel() for each in parts])

    def resume(self, state: NDArray[np.float64]) -> None:
        """Go on from what `state` gave. Raises ValueError for anything else."""
        parts = (self._seen, self.hits, self.reciprocals, self._difference, self._square)
        ends = np.cumsum([each.size for each in parts])
        if state.shape != (ends[-1],) or not np.isfinite(state).all():
            raise ValueError("these are no counts of a judge")
        given = [values.reshape(each.shape) for each, values in zip(parts, np.split(state, ends[:-1]), strict=True)]
        if not _can_be(*given):
            raise ValueError("no lists lead to these counts of a judge")
        for each, values in zip(parts, given, strict=True):
            each[...] = values

    def leader(self) -> str:
        """The ranker that leads."""
        if self.lists < self._least:
            return FORMULA
        best, lists = 0, self._seen[1] ** 2 / self._seen[2]
        for other in range(1, len(RANKERS)):
            mean = self._difference[other, best]
            error = math.sqrt(max(self._square[other, best] - mean**2, 0.0) / lists)
            if mean > MARGIN * error and mean > 0:
                best = other
        return RANKERS[best]


def _can_be(
    seen: NDArray[np.float64],
    hits: NDArray[np.float64],
    reciprocals: NDArray[np.float64],
    difference: NDArray[np.float64],
    square: NDArray[np.float64],
) -> bool:
    """Whether lists can lead to these counts: weights are above 0 to 1, a gain is 0 to 2, and the
    squared mean is at most the mean of squares.
    """
    lists, weight, squared = seen.tolist()
    if lists == 0.0:
        return not any(each.any() for each in (seen, hits, reciprocals, difference, square))
    most = 1.0 + ROUNDING
    is_weighed = TINY < squared <= weight * most and weight <= lists * most and lists <= MOST_LISTS
    # The number of equal lists that would be as sure is at least 1, and at most that of all lists.
    is_weighed = is_weighed and squared <= weight**2 * most and weight**2 <= squared * lists * most
    is_mean = all(((each >= 0.0) & (each <= most)).all() for each in (hits, reciprocals))
    is_square = bool(((square >= 0.0) & (square <= LARGEST_GAIN**2 * most)).all())
    is_gap = bool((np.abs(difference) <= np.sqrt(np.maximum(square, 0.0)) + ROUNDING).all())
    return is_weighed and is_mean and is_square and is_gap


@kernel
def _count(
    ranks: NDArray[np.int32],
    weights: NDArray[np.float32],
    fade: float,
    seen: NDArray[np.float64],
    hits: NDArray[np.float64],
    reciprocals: NDArray[np.float64],
    difference: NDArray[np.float64],
    square: NDArray[np.float64],
) -> None:
    gain = np.zeros(ranks.shape[1])
    for row in range(len(ranks)):
        weight = weights[row]
        seen[0] += 1.0
        # The sum of squared weights gives the number of equal lists that would be as sure.
        seen[1] = seen[1] * fade + weight
        seen[2] = seen[2] * fade * fade + weight * weight
        pace = weight / seen[1]
        for ranker in range(len(gain)):
            rank = ranks[row, ranker]
            hit = 1.0 if 0 < rank <= K else 0.0
            share = hit / max(rank, 1)
            hits[ranker] += pace * (hit - hits[ranker])
            reciprocals[ranker] += pace * (share - reciprocals[ranker])
            gain[ranker] = hit + share
        for ranker in range(len(gain)):
            for other in range(len(gain)):
                gap = gain[ranker] - gain[other]
                difference[ranker, other] += pace * (gap - difference[ranker, other])
                square[ranker, other] += pace * (gap * gap - square[ranker, other])


def formula_ranks(
    voted: NDArray[np.int32], excluded: NDArray[np.int32], targets: NDArray[np.int32], size: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Ranks of the targets (n,) from 1 among what neighbours vote for, `voted` (n, most), best
    first and padded with -1, without those excluded (n,): 0 beyond `size`. Second, whether the
    votes fill the list.
    """
    listed = (voted >= 0) & (voted != excluded[:, None])
    place = np.cumsum(listed, axis=1)
    hit = listed & (voted == targets[:, None]) & (place <= size)
    ranks = np.where(hit, place, 0).max(axis=1).astype(np.int32)
    is_whole: NDArray[np.bool_] = (place[:, -1] >= size) | (ranks > 0)
    return ranks, is_whole

"""From candidates to ranked lists: what was found for each user, then what is trending, ties broken
by item id.

Scores are compared as they are written, rounded to SCORE_DIGITS digits: so noise below that decides
nothing. Those of fallbacks have SHARE_DIGITS significant digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.contract.lists import Ranking
from models.setting import setting

SCORE_DIGITS = 6
SHARE_DIGITS = 6
NO_ITEM = -1

# What found an item, as a number and as the contract calls it.
NEIGHBOURS = 0
SEMANTIC = 1
CATEGORY = 2
TRENDING = 3
SESSION = 4
TRANSITIONS = 5
BRAND = 6
SOURCES = ("neighbours", "semantic", "category", "trending", "session", "transitions", "brand")


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """What a list looks like."""

    size: int = setting(20, "items in a list", low=1, high=100)
    exclude_recent: int = setting(1, "latest items of the user that are kept out: what is being looked at", low=0)


class Candidates(NamedTuple):
    """Items found for each user, shapes (users, n), padded with NO_ITEM and in no order; only
    scores above 0 count.

    `by_meaning` marks those found by meaning. `reserved` ones take the place of the last others.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    by_meaning: NDArray[np.bool_]
    reserved: NDArray[np.bool_]

    @classmethod
    def of_neighbours(cls, items: NDArray[np.int32], scores: NDArray[np.float32]) -> Self:
        """Candidates that neighbours found."""
        return cls(items, scores.astype(np.float64), np.zeros(items.shape, np.bool_), np.zeros(items.shape, np.bool_))


class RankedLists(NamedTuple):
    """Ranked lists, one row a user, best first, shapes (users, size): item numbers padded with
    NO_ITEM, scores, and what found each item."""

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    sources: NDArray[np.uint8]

    @classmethod
    def empty(cls, users: int, size: int) -> Self:
        """Lists without items."""
        shape = (users, size)
        return cls(np.full(shape, NO_ITEM, np.int32), np.zeros(shape), np.zeros(shape, np.uint8))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The lists of all parts, of which there is one at least, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.items for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.sources for part in parts]),
        )

    def ranking(self, user: int, names: Sequence[str]) -> Ranking:
        """One list with its items' names."""
        size = int(np.count_nonzero(self.items[user] != NO_ITEM))
        return Ranking(
            tuple(names[item] for item in self.items[user, :size].tolist()),
            tuple(self.scores[user, :size].tolist()),
            tuple(SOURCES[source] for source in self.sources[user, :size].tolist()),
        )

"""The arrays that candidates are found in, under names that compiled code knows too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.ranker.relation_kernel import Relations
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
LIKE = 20  # nearest to the last item in meaning
MOST = 224  # all of these together, and a multiple of 8

# What the sources say of one candidate. Ranks are 1 / (1 + rank), 0 outside of the source's list.
SAYING = np.dtype(
    [
        ("votes", np.float32),  # the formula's score, against the best of the list
        ("vote_rank", np.float32),
        ("forward_last", np.float32),
        ("next_last", np.float32),
        ("forward_before", np.float32),  # from the item before the last one
        ("forward_all", np.float32),
        ("backward_all", np.float32),
        ("together_all", np.float32),
        ("place", np.float32),  # from the end among the session's distinct items; -1 if it is none of them
        ("times", np.float32),  # that the session had it
        ("followed", np.float32),  # times that it followed the last item in this session
        ("category_rank", np.float32),
        ("popular_rank", np.float32),
        ("brand_rank", np.float32),
        ("like_rank", np.float32),  # among the nearest to the last item in meaning
        ("beside_rank", np.float32),  # 1 / places between it and the last item in the order of prices
    ]
)


class Groups(NamedTuple):
    """Popular items of groups end to end, those of group g at items[starts[g]:starts[g + 1]], the
    last group being that of all; `group` (items,) is the group of each item, -1 for none, and
    `most` are taken of one.
    """

    items: NDArray[np.int32]
    starts: NDArray[np.int64]
    group: NDArray[np.int32]
    most: int


class CandidateSources(NamedTuple):
    """What candidates come from: relations as of `now` in seconds, fading at `rate` per second, the
    popular items of categories and brands, items side by side, `beside` on either side, and the
    nearest of each in meaning, `like` (items, n), padded with numbers below 0.

    `weight` (items,) is 0 for what is not shown.
    """

    relations: Relations
    now: float
    rate: float
    categories: Groups
    brands: Groups
    shelf: Shelf
    beside: int
    like: NDArray[np.int32]
    weight: NDArray[np.float32]


class Sessions(NamedTuple):
    """Sessions so far: `items` (n, TRAIL), oldest first, their `sizes` (n,), and what neighbours
    found for each: `voted` (n, NEIGHBOURS), padded, with `votes`.
    """

    items: NDArray[np.int32]
    sizes: NDArray[np.int32]
    voted: NDArray[np.int32]
    votes: NDArray[np.float32]


class FoundCandidates(NamedTuple):
    """Candidates of each session: `items` (n, MOST), `said` (n, MOST) of type SAYING, and their
    numbers, `sizes` (n,); what lies beyond is of no use.
    """

    items: NDArray[np.int32]
    said: NDArray[np.void]
    sizes: NDArray[np.int32]

    @classmethod
    def empty(cls, sessions: int) -> "FoundCandidates":
        """Room for this many sessions."""
        shape = (sessions, MOST)
        return cls(np.full(shape, NO_ITEM, np.int32), np.zeros(shape, SAYING), np.zeros(sessions, np.int32))

    def first(self, sessions: int) -> "FoundCandidates":
        """The rows of the first sessions."""
        return FoundCandidates(self.items[:sessions], self.said[:sessions], self.sizes[:sessions])


class CandidatePool(NamedTuple):
    """Workspace: items met so far with what is said of them; `place` (items,) is that in the pool
    plus all places of lists before, so that it need not be emptied.

    `used` holds the places of this list, and of those before.
    """

    items: NDArray[np.int32]
    said: NDArray[np.void]
    prior: NDArray[np.float32]
    order: NDArray[np.int32]
    place: NDArray[np.int64]
    used: NDArray[np.int64]
    blank: NDArray[np.void]


def make_pool(items: int, most_related: int) -> CandidatePool:
    """A workspace for items below `items`."""
    size = NEIGHBOURS + FROM * most_related + MOST
    blank = np.zeros(1, SAYING)
    blank["place"] = -1.0
    return CandidatePool(
        np.zeros(size, np.int32),
        np.zeros(size, SAYING),
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.full(items, -1, np.int64),
        np.zeros(2, np.int64),
        blank,
    )

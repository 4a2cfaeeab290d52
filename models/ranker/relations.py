"""How items follow one another in sessions: weights of pairs, bounded per item, fading.

For an event of item y, d places after an item x of the same session (d at most WINDOW):

    forward(x, y) += 1 / d      next(x, y) += 1 if d = 1
    backward(y, x) += 1 / d     together(x, y) += 1 and together(y, x) += 1

A weight halves in `half_life_days`. Each item keeps at most MOST others; the lightest makes room.
Order within a session is that of arrival, also where times are equal.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.ranker.relation_kernel import (
    NO_SESSION,
    WEIGHTS,
    PairBounds,
    Relations,
    SessionTrails,
    SessionVisits,
    follow,
    learn_pairs,
)

WINDOW = 10
MOST = 128
SESSIONS = 1 << 16  # sessions whose last items are remembered; a power of two
TRAIL = 64
DAY = 86_400.0
FIRST_ITEMS = 1024
FIRST_CELLS = 1 << 14


class Prefixes(NamedTuple):
    """What sessions held before an event, oldest first: `items` (n, TRAIL), padded, and `sizes`
    (n,).
    """

    items: NDArray[np.int32]
    sizes: NDArray[np.int32]


class ItemRelations:
    """Pairs of items and the trails of sessions; for one thread at a time."""

    def __init__(self, half_life_days: float, most: int = MOST) -> None:
        """Of an item `most` others are kept, a power of two."""
        self._pace = PairBounds(WINDOW, most, math.log(2) / (half_life_days * DAY))
        self.arrays = _empty(FIRST_ITEMS, FIRST_CELLS)
        self.trails = SessionTrails(
            keys=np.full(SESSIONS, NO_SESSION, np.uint64),
            items=np.zeros((SESSIONS, TRAIL), np.int32),
            sizes=np.zeros(SESSIONS, np.int32),
        )
        self.newest = -math.inf

    @property
    def rate(self) -> float:
        """The rate per second at which weights fade."""
        return self._pace.rate

    def follow(self, sessions: NDArray[np.uint64], items: NDArray[np.int32]) -> Prefixes:
        """Return what the session of each event held before it, and note the events.

        Columns have length n: session hash, item number.
        """
        count = len(items)
        before = Prefixes(np.zeros((count, TRAIL), np.int32), np.zeros(count, np.int32))
        follow(self.trails, sessions, items, before.items, before.sizes)
        return before

    def learn(self, items: NDArray[np.int32], ts: NDArray[np.float64], before: Prefixes) -> None:
        """Take in pairs: item numbers, event times in seconds, and what `follow` returned."""
        if not len(items):
            return
        self.with_items(int(items.max()) + 1)
        self.newest = max(self.newest, float(ts.max()))
        done, visits = 0, SessionVisits(items, ts, before.items, before.sizes)
        while (done := learn_pairs(self.arrays, self._pace, visits, done)) < len(items):
            self.arrays = _with_cells(self.arrays)

    def with_items(self, items: int) -> None:
        """Make room for this many items."""
        self.arrays = _with_items(self.arrays, items)


def _empty(items: int, cells: int) -> Relations:
    return Relations(
        base=np.zeros(items, np.int64),
        size=np.zeros(items, np.int32),
        room=np.zeros(items, np.int32),
        since=np.zeros(items),
        totals=np.zeros((items, WEIGHTS), np.float32),
        seen=np.zeros(items, np.float32),
        events=np.zeros(items, np.int32),
        repeats=np.zeros(items, np.int32),
        items=np.zeros(cells, np.int32),
        weights=np.zeros((cells, WEIGHTS), np.float32),
        free=np.full(32, -1, np.int64),
        end=np.zeros(1, np.int64),
    )


def _with_items(old: Relations, items: int) -> Relations:
    known = len(old.base)
    if items <= known:
        return old
    grown = _empty(max(items, 2 * known), 0)
    for name in ("base", "size", "room", "since", "totals", "seen", "events", "repeats"):
        getattr(grown, name)[:known] = getattr(old, name)
    return grown._replace(items=old.items, weights=old.weights, free=old.free, end=old.end)


def _with_cells(old: Relations) -> Relations:
    more = len(old.items)
    return old._replace(
        items=np.concatenate([old.items, np.zeros(more, np.int32)]),
        weights=np.concatenate([old.weights, np.zeros((more, WEIGHTS), np.float32)]),
    )

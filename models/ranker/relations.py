"""How items follow one another in sessions: weights of pairs, bounded per item, fading.

For an event of item y, d places after an item x of the same session (d at most WINDOW):

    forward(x, y) += 1 / d      next(x, y) += 1 if d = 1
    backward(y, x) += 1 / d     together(x, y) += 1 and together(y, x) += 1

A weight halves in `half_life_days`. Each item keeps at most MOST others; the lightest makes room.
Order within a session is that of arrival, also where times are equal.
"""

import math
from typing import Any, NamedTuple

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
    look_up,
)
from models.state import Arrays, columns, require

WINDOW = 10
MOST = 128
SESSIONS = 1 << 16  # sessions whose last items are remembered; a power of two
TRAIL = 64
DAY = 86_400.0
FIRST_ITEMS = 1024
FIRST_CELLS = 1 << 14
BLOCKS = 32  # sizes of blocks
BY_ITEM = ("base", "size", "room", "since", "seen", "events", "repeats")


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

    def held(self, sessions: NDArray[np.uint64]) -> Prefixes:
        """What the sessions with these hashes (n,) hold now; nothing of those that are not
        remembered.
        """
        count = len(sessions)
        now = Prefixes(np.zeros((count, TRAIL), np.int32), np.zeros(count, np.int32))
        look_up(self.trails, sessions, now.items, now.sizes)
        return now

    def forget(self, sessions: NDArray[np.uint64]) -> None:
        """Forget the last items of the sessions with these hashes, shape (n,).

        Weights between items stay: they are sums over all sessions.
        """
        slots = (sessions & np.uint64(len(self.trails.keys) - 1)).astype(np.int64)
        slots = slots[self.trails.keys[slots] == sessions]
        self.trails.keys[slots], self.trails.sizes[slots], self.trails.items[slots] = NO_SESSION, 0, 0

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Columns from which `restore` makes the same state; the item numbers are the
        vocabulary's.
        """
        arrays, used = self.arrays, int(self.arrays.end[0])
        kept = np.flatnonzero(self.trails.sizes)
        columns = {name: getattr(arrays, name).copy() for name in (*BY_ITEM, "free", "end")}
        return columns | {
            "totals": arrays.totals.flatten(),
            "items": arrays.items[:used].copy(),
            "weights": arrays.weights[:used].flatten(),
            "sessions": self.trails.keys[kept],
            "trail_sizes": self.trails.sizes[kept],
            "trails": self.trails.items[kept].flatten(),
            "newest": np.array([self.newest]),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave, into an empty one. Raises ValueError for anything
        else.
        """
        self.check(arrays)
        columns = {name: arrays[name].copy() for name in (*BY_ITEM, "free", "end", "items")}
        totals, weights = arrays["totals"].reshape(-1, WEIGHTS), arrays["weights"].reshape(-1, WEIGHTS)
        self.arrays = Relations(totals=totals.copy(), weights=weights.copy(), **columns)
        while len(self.arrays.items) < FIRST_CELLS:
            self.arrays = _with_cells(self.arrays)
        self.newest = float(arrays["newest"][0])
        slots = (arrays["sessions"] & np.uint64(len(self.trails.keys) - 1)).astype(np.int64)
        self.trails.keys[slots], self.trails.sizes[slots] = arrays["sessions"], arrays["trail_sizes"]
        self.trails.items[slots] = arrays["trails"].reshape(-1, TRAIL)

    @staticmethod
    def check(arrays: Arrays) -> int:
        """One more than the highest item. Raises ValueError when `restore` could not take the
        columns.
        """
        base, size, room = columns(arrays, base=np.int64, size=np.int32, room=np.int32)
        since, totals, seen = columns(arrays, since=np.float64, totals=np.float32, seen=np.float32)
        events, repeats, items = columns(arrays, events=np.int32, repeats=np.int32, items=np.int32)
        weights, free, end = columns(arrays, weights=np.float32, free=np.int64, end=np.int64)
        sessions, sizes, trails = columns(arrays, sessions=np.uint64, trail_sizes=np.int32, trails=np.int32)
        (newest,) = columns(arrays, newest=np.float64)
        rows = {len(each) for each in (base, size, room, since, seen, events, repeats)} | {len(totals) / WEIGHTS}
        require(len(rows) == 1, "columns of relations differ in length")
        require(len(end) == len(newest) == 1 and len(free) == BLOCKS, "blocks of relations are not told")
        require(len(items) == end[0] == len(weights) / WEIGHTS, "cells of relations do not fit")
        require((size >= 0).all() and (size <= room).all() and (base >= 0).all(), "a block of relations is none")
        require((base + room <= end[0]).all() and (free >= -1).all() and (free < end[0]).all(), "a block is beyond")
        sound = np.isfinite(weights).all() and np.isfinite(totals).all() and np.isfinite(since).all()
        require(sound and np.isfinite(seen).all(), "a relation has no weight")
        require(len(sizes) == len(sessions) == len(trails) / TRAIL, "trails do not fit")
        require(not len(sizes) or (sizes.min() >= 0 and sizes.max() <= TRAIL), "a trail is too long")
        numbers = np.concatenate([items[_cells(base, size)], trails])
        require(not len(numbers) or numbers.min() >= 0, "an item is negative")
        return int(numbers.max(initial=-1)) + 1

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
        free=np.full(BLOCKS, -1, np.int64),
        end=np.zeros(1, np.int64),
    )


def _with_items(old: Relations, items: int) -> Relations:
    known = len(old.base)
    if items <= known:
        return old
    grown = _empty(max(items, 2 * known), 0)
    for name in (*BY_ITEM, "totals"):
        getattr(grown, name)[:known] = getattr(old, name)
    return grown._replace(items=old.items, weights=old.weights, free=old.free, end=old.end)


def _with_cells(old: Relations) -> Relations:
    more = max(len(old.items), FIRST_CELLS)  # there may be none: doubling those would never end
    return old._replace(
        items=np.concatenate([old.items, np.zeros(more, np.int32)]),
        weights=np.concatenate([old.weights, np.zeros((more, WEIGHTS), np.float32)]),
    )


def _cells(base: NDArray[np.int64], size: NDArray[np.int32]) -> NDArray[np.int64]:
    """The cells that hold pairs, end to end."""
    counts = size.astype(np.int64)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    cells: NDArray[np.int64] = np.repeat(base, counts) + within
    return cells

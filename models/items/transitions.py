"""Which items follow which within a session: directed, weighted by distance, fading with time,
bounded per item.

    weight(a → b) = Σ over b seen d ≤ WINDOW places after a in one session:
                    (1 / d) · 2 ^ -(age of b / half-life)

Weights are kept as of EPOCH (forward decay), so adding to one touches no other. What is learned
does not depend on how events are cut into batches, nor, but for rounding, on how sessions
interleave, as long as no bound is reached: an item keeps its MOST heaviest successors, and of MANY
sessions the newest are remembered. An event that comes late counts from its place in time, but the
distances counted before it stay.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.items.transition_kernel import EPOCH, NO_SESSION, Bounds, Pairs, Trails, Visits, learn_pairs
from models.state import Arrays, columns, require

WINDOW = 10
MOST = 32
MANY = 1 << 16  # sessions whose last WINDOW items are remembered; a power of two
HALF_LIFE_SECONDS = 30 * 86_400.0
RATE = math.log(2) / HALF_LIFE_SECONDS
FIRST_ITEMS = 1024
FIRST_PAIRS = 4096


class Successors(NamedTuple):
    """Items that follow one, the heaviest first, and their weights."""

    items: NDArray[np.int32]
    weights: NDArray[np.float64]


class Transitions:
    """Successors by item number; for one thread at a time."""

    def __init__(self, most: int = MOST, sessions: int = MANY) -> None:
        """Of an item `most` successors are kept, a power of two; `sessions`, a power of two, are
        remembered.
        """
        self._most = most
        self._pairs = _no_pairs(FIRST_ITEMS, FIRST_PAIRS)
        self._trails = Trails(
            keys=np.full(sessions, NO_SESSION, np.uint64),
            items=np.zeros((sessions, WINDOW), np.int32),
            ts=np.zeros((sessions, WINDOW)),
            sizes=np.zeros(sessions, np.int32),
        )

    @property
    def memory_bytes(self) -> int:
        """Bytes that the arrays take."""
        return sum(array.nbytes for array in (*self._pairs, *self._trails))

    def learn(self, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        """Take in events, columns of length n: session hash, item number, event time in seconds."""
        if not len(items):
            return
        self._pairs = _with_items(self._pairs, int(items.max()) + 1)
        visits, bounds, done = Visits(sessions, items, ts), Bounds(self._most, RATE), 0
        while (done := learn_pairs(self._pairs, self._trails, visits, done, bounds)) < len(ts):
            self._pairs = _with_room(self._pairs)

    def forget(self, sessions: NDArray[np.uint64]) -> None:
        """Forget the last items of the sessions with these hashes, shape (n,).

        Weights between items stay: they are sums over all sessions.
        """
        slots = (sessions & np.uint64(len(self._trails.keys) - 1)).astype(np.int64)
        slots = slots[self._trails.keys[slots] == sessions]
        self._trails.keys[slots], self._trails.sizes[slots] = NO_SESSION, 0
        self._trails.items[slots], self._trails.ts[slots] = 0, 0.0

    def successors(self, item: int, now: float) -> Successors:
        """What follows the item, weighted as of `now` in seconds; nothing for an unknown one."""
        if item >= len(self._pairs.base):
            return Successors(np.zeros(0, np.int32), np.zeros(0))
        base, size = int(self._pairs.base[item]), int(self._pairs.size[item])
        items, weights = self._pairs.items[base : base + size], self._pairs.weights[base : base + size]
        order = np.lexsort((items, -weights))
        return Successors(items[order], weights[order] * _decay(now))

    def total(self, item: int, now: float) -> float:
        """The weight of all transitions from the item as of `now` in seconds, dropped ones
        included.
        """
        return float(self._pairs.totals[item] * _decay(now)) if item < len(self._pairs.totals) else 0.0

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Columns from which `restore` makes the same state; the item numbers are the
        vocabulary's.
        """
        rows = np.flatnonzero(self._pairs.size)
        size = self._pairs.size[rows].astype(np.int64)
        cells = (
            np.repeat(self._pairs.base[rows], size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        )
        kept = np.flatnonzero(self._trails.keys != NO_SESSION)
        return {
            "from": np.repeat(rows, size).astype(np.int32),
            "to": self._pairs.items[cells],
            "weights": self._pairs.weights[cells],
            "total_items": rows.astype(np.int32),
            "totals": self._pairs.totals[rows],
            "sessions": self._trails.keys[kept],
            "trail_sizes": self._trails.sizes[kept],
            "trail_items": self._trails.items[kept].flatten(),
            "trail_ts": self._trails.ts[kept].flatten(),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave, into an empty one. Raises ValueError for anything
        else.
        """
        self.check(arrays)
        sources, targets, weights = arrays["from"], arrays["to"], arrays["weights"]
        order = np.lexsort((-weights, sources))
        rows, starts, counts = np.unique(sources[order], return_index=True, return_counts=True)
        sizes = np.minimum(counts, self._most)
        rooms = 1 << np.maximum(2, np.ceil(np.log2(np.maximum(sizes, 1))).astype(np.int64))
        bases = np.cumsum(rooms) - rooms
        self._pairs = _no_pairs(max(FIRST_ITEMS, int(sources.max(initial=0)) + 1), int(rooms.sum()) + FIRST_PAIRS)
        self._pairs.totals[arrays["total_items"]] = arrays["totals"]
        self._pairs.base[rows], self._pairs.size[rows], self._pairs.room[rows] = bases, sizes, rooms
        self._pairs.end[0] = rooms.sum()
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        cells, taken = np.repeat(bases, sizes) + within, order[np.repeat(starts, sizes) + within]
        self._pairs.items[cells], self._pairs.weights[cells] = targets[taken], weights[taken]
        self._restore_trails(arrays)

    def _restore_trails(self, arrays: Arrays) -> None:
        trails, keys = self._trails, arrays["sessions"]
        slots = (keys & np.uint64(len(trails.keys) - 1)).astype(np.int64)
        trails.keys[slots], trails.sizes[slots] = keys, arrays["trail_sizes"]
        trails.items[slots] = arrays["trail_items"].reshape(-1, WINDOW)
        trails.ts[slots] = arrays["trail_ts"].reshape(-1, WINDOW)

    @staticmethod
    def check(arrays: Arrays) -> int:
        """One more than the highest item. Raises ValueError when `restore` could not take the
        columns.
        """
        targets, weights, totals = columns(arrays, to=np.int32, weights=np.float64, totals=np.float64)
        sources, total_items = columns(arrays, **{"from": np.int32, "total_items": np.int32})
        sessions, sizes, items, ts = columns(
            arrays, sessions=np.uint64, trail_sizes=np.int32, trail_items=np.int32, trail_ts=np.float64
        )
        require(len(sources) == len(targets) == len(weights), "columns of transitions differ in length")
        require(len(items) == len(ts) == WINDOW * len(sessions) and len(sizes) == len(sessions), "trails do not fit")
        require(not len(sizes) or (sizes.min() >= 0 and sizes.max() <= WINDOW), "a trail is too long")
        require(np.isfinite(weights).all() and np.isfinite(ts).all(), "a transition has no weight")
        require(len(totals) == len(total_items) and np.isfinite(totals).all(), "a total is no number")
        require(np.array_equal(np.unique(sources), total_items), "a transition has no total")
        numbers = np.concatenate([sources, targets, items])
        require(not len(numbers) or numbers.min() >= 0, "an item is negative")
        return int(numbers.max(initial=-1)) + 1


def _decay(now: float) -> float:
    return float(np.exp(-(now - EPOCH) * RATE))


def _no_pairs(items: int, pairs: int) -> Pairs:
    return Pairs(
        base=np.zeros(items, np.int64),
        size=np.zeros(items, np.int32),
        room=np.zeros(items, np.int32),
        totals=np.zeros(items),
        items=np.zeros(pairs, np.int32),
        weights=np.zeros(pairs),
        free=np.full(32, -1, np.int64),
        end=np.zeros(1, np.int64),
    )


def _with_items(pairs: Pairs, items: int) -> Pairs:
    old = len(pairs.base)
    if items <= old:
        return pairs
    grown = _no_pairs(max(items, 2 * old), 0)
    grown.base[:old], grown.size[:old], grown.room[:old], grown.totals[:old] = pairs[:4]
    return grown._replace(items=pairs.items, weights=pairs.weights, free=pairs.free, end=pairs.end)


def _with_room(pairs: Pairs) -> Pairs:
    more = len(pairs.items)
    return pairs._replace(
        items=np.concatenate([pairs.items, np.zeros(more, np.int32)]),
        weights=np.concatenate([pairs.weights, np.zeros(more)]),
    )

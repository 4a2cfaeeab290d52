"""The compiled half of transitions: trails of sessions, and pairs of items in blocks of an
arena.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

NO_SESSION = 0
SMALLEST_BLOCK = 4
EPOCH = 1_262_304_000.0  # 2010-01-01T00:00:00Z: a float holds 1,000 half-lives before and after it
LARGEST_EXPONENT = 700.0


class Pairs(NamedTuple):
    """Successors of item i are items[base[i]:base[i] + size[i]], with their `weights` as of EPOCH.

    `totals` are those of all its transitions. Freed blocks are chained by size class from `free`.
    """

    base: NDArray[np.int64]
    size: NDArray[np.int32]
    room: NDArray[np.int32]
    totals: NDArray[np.float64]
    items: NDArray[np.int32]
    weights: NDArray[np.float64]
    free: NDArray[np.int64]
    end: NDArray[np.int64]


class Trails(NamedTuple):
    """The last items of sessions, oldest first, each in the slot that its hash names; `sizes` are
    their numbers.
    """

    keys: NDArray[np.uint64]
    items: NDArray[np.int32]
    ts: NDArray[np.float64]
    sizes: NDArray[np.int32]


class Visits(NamedTuple):
    """Events as columns of length n: session hash, item number, event time in seconds."""

    sessions: NDArray[np.uint64]
    items: NDArray[np.int32]
    ts: NDArray[np.float64]


class Bounds(NamedTuple):
    """How many successors an item has at most, a power of two, and the rate per second at which
    weights fade.
    """

    most: int
    rate: float


@kernel
def learn_pairs(pairs: Pairs, trails: Trails, visits: Visits, first: int, bounds: Bounds) -> int:
    """Learn the events from `first` on; returns where it stopped for want of room, or their
    number.
    """
    window = trails.items.shape[1]
    for row in range(first, len(visits.ts)):
        # Each of the items around may need its next larger block.
        if pairs.end[0] + (window + 1) * bounds.most > len(pairs.items):
            return row
        session, item, ts = visits.sessions[row], visits.items[row], visits.ts[row]
        slot = int(np.int64(session & np.uint64(len(trails.keys) - 1)))
        if trails.keys[slot] != session:
            if trails.sizes[slot] > 0 and trails.ts[slot, trails.sizes[slot] - 1] > ts:
                continue  # a newer session has the slot
            trails.keys[slot], trails.sizes[slot] = session, 0
        _learn(pairs, trails, slot, item, ts, bounds)
        trails.sizes[slot] = _append(trails.items[slot], trails.ts[slot], trails.sizes[slot], item, ts)
    return len(visits.ts)


@kernel
def _learn(pairs: Pairs, trails: Trails, slot: int, item: int, ts: float, bounds: Bounds) -> None:
    trail, times, size = trails.items[slot], trails.ts[slot], trails.sizes[slot]
    place, weight = _place(times, size, ts), _weight(ts, bounds.rate)
    for i in range(size):
        if trail[i] == item:
            continue
        if i < place:
            _add(pairs, trail[i], item, weight / (place - i), bounds.most)
        else:  # the event comes late: what follows it is known already
            _add(pairs, item, trail[i], _weight(times[i], bounds.rate) / (i - place + 1), bounds.most)


@kernel
def _weight(ts: float, rate: float) -> float:
    return math.exp(min((ts - EPOCH) * rate, LARGEST_EXPONENT))


@kernel
def _place(times: NDArray[np.float64], size: int, ts: float) -> int:
    """Where an event of this time belongs: behind others of the same time, which came before it."""
    place = size
    while place > 0 and times[place - 1] > ts:
        place -= 1
    return place


@kernel
def _append(trail: NDArray[np.int32], times: NDArray[np.float64], size: int, item: int, ts: float) -> int:
    """Put the event in its place; the oldest one makes room. Returns the new size."""
    place = _place(times, size, ts)
    if size < len(trail):
        for i in range(size, place, -1):
            trail[i], times[i] = trail[i - 1], times[i - 1]
        trail[place], times[place] = item, ts
        return size + 1
    if place > 0:
        for i in range(place - 1):
            trail[i], times[i] = trail[i + 1], times[i + 1]
        trail[place - 1], times[place - 1] = item, ts
    return size


@kernel
def _add(pairs: Pairs, source: int, target: int, weight: float, most: int) -> None:
    pairs.totals[source] = pairs.totals[source] + weight
    base, size = pairs.base[source], pairs.size[source]
    for cell in range(base, base + size):
        if pairs.items[cell] == target:
            pairs.weights[cell] += weight
            return
    if size < most:
        if size == pairs.room[source]:
            _grow(pairs, source)
        cell = pairs.base[source] + size
        pairs.size[source] = size + 1
    else:
        cell = base + np.argmin(pairs.weights[base : base + size])
        if pairs.weights[cell] >= weight:
            return
    pairs.items[cell], pairs.weights[cell] = target, weight


@kernel
def _grow(pairs: Pairs, source: int) -> None:
    room, old, kept = max(SMALLEST_BLOCK, 2 * pairs.room[source]), pairs.base[source], pairs.room[source]
    kind = _class_of(room)
    base = pairs.free[kind]
    if base >= 0:
        pairs.free[kind] = np.int64(pairs.weights[base])
    else:
        base = pairs.end[0]
        pairs.end[0] = base + room
    for i in range(pairs.size[source]):
        pairs.items[base + i], pairs.weights[base + i] = pairs.items[old + i], pairs.weights[old + i]
    if kept > 0:
        # Free blocks are chained through the weight of their first cell.
        pairs.weights[old] = pairs.free[_class_of(kept)]
        pairs.free[_class_of(kept)] = old
    pairs.base[source], pairs.room[source] = base, room


@kernel
def _class_of(room: int) -> int:
    kind = 0
    while SMALLEST_BLOCK << kind < room:
        kind += 1
    return kind

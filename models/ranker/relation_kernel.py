"""The compiled half of relations: pairs of items in blocks of an arena, and trails of sessions."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

NO_SESSION = 0
SMALLEST_BLOCK = 4
LARGEST_EXPONENT = 20.0

# Columns of the weights of a pair.
FORWARD = 0
NEXT = 1
BACKWARD = 2
TOGETHER = 3
WEIGHTS = 4


class Relations(NamedTuple):
    """Others of item i are items[base[i]:base[i] + size[i]], with `weights` (cells, WEIGHTS) as of
    since[i] in seconds.

    `totals` (items, WEIGHTS) are those of all its pairs and `seen` that of its events, as of
    since[i] too. `events` and `repeats`, events of an item that the session had already, do not
    fade. Freed blocks are chained by size class from `free`.
    """

    base: NDArray[np.int64]
    size: NDArray[np.int32]
    room: NDArray[np.int32]
    since: NDArray[np.float64]
    totals: NDArray[np.float32]
    seen: NDArray[np.float32]
    events: NDArray[np.int32]
    repeats: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    free: NDArray[np.int64]
    end: NDArray[np.int64]


class SessionTrails(NamedTuple):
    """The last items of sessions, oldest first, each in the slot that its hash names."""

    keys: NDArray[np.uint64]
    items: NDArray[np.int32]
    sizes: NDArray[np.int32]


class PairBounds(NamedTuple):
    """Places that a pair may be apart, others that an item has at most, and the rate per second at
    which weights fade.
    """

    window: int
    most: int
    rate: float


class SessionVisits(NamedTuple):
    """Events of n items at `ts` in seconds, and what their sessions held before, oldest first:
    `held` (n, most), the first `sizes` (n,) of it.
    """

    items: NDArray[np.int32]
    ts: NDArray[np.float64]
    held: NDArray[np.int32]
    sizes: NDArray[np.int32]


@kernel
def follow(
    trails: SessionTrails,
    sessions: NDArray[np.uint64],
    items: NDArray[np.int32],
    held: NDArray[np.int32],
    sizes: NDArray[np.int32],
) -> None:
    """Note what each event's session held before it, and move its trail on."""
    for row in range(len(items)):
        session = sessions[row]
        slot = int(np.int64(session & np.uint64(len(trails.keys) - 1)))
        if trails.keys[slot] != session:
            trails.keys[slot], trails.sizes[slot] = session, 0
        sizes[row] = trails.sizes[slot]
        for i in range(trails.sizes[slot]):
            held[row, i] = trails.items[slot, i]
        _append(trails, slot, items[row])


@kernel
def look_up(
    trails: SessionTrails, sessions: NDArray[np.uint64], held: NDArray[np.int32], sizes: NDArray[np.int32]
) -> None:
    """Note what each session holds now; nothing for one that is not remembered."""
    for row in range(len(sessions)):
        slot = int(np.int64(sessions[row] & np.uint64(len(trails.keys) - 1)))
        sizes[row] = trails.sizes[slot] if trails.keys[slot] == sessions[row] else 0
        for i in range(sizes[row]):
            held[row, i] = trails.items[slot, i]


@kernel
def learn_pairs(relations: Relations, pace: PairBounds, visits: SessionVisits, first: int) -> int:
    """Learn the events from `first` on.

    Returns where it stopped for want of room, or their number.
    """
    for row in range(first, len(visits.ts)):
        if relations.end[0] + 2 * (pace.window + 1) * pace.most > len(relations.items):
            return row
        _learn(relations, visits.held[row][: visits.sizes[row]], visits.items[row], visits.ts[row], pace)
    return len(visits.ts)


@kernel
def _append(trails: SessionTrails, slot: int, item: int) -> None:
    size, most = trails.sizes[slot], trails.items.shape[1]
    if size == most:
        for i in range(most - 1):
            trails.items[slot, i] = trails.items[slot, i + 1]
        size -= 1
    trails.items[slot, size] = item
    trails.sizes[slot] = size + 1


@kernel
def _learn(relations: Relations, trail: NDArray[np.int32], item: int, ts: float, pace: PairBounds) -> None:
    relations.seen[item] += _weight(relations, item, ts, pace.rate)
    relations.events[item] += 1
    for other in trail:
        if other == item:
            relations.repeats[item] += 1
            break
    size = len(trail)
    for distance in range(1, min(size, pace.window) + 1):
        other = trail[size - distance]
        if other != item:
            is_next = 1.0 if distance == 1 else 0.0
            weight = _weight(relations, other, ts, pace.rate)
            _add(relations, other, item, weight, (1.0 / distance, is_next, 0.0, 1.0), pace.most)
            weight = _weight(relations, item, ts, pace.rate)
            _add(relations, item, other, weight, (0.0, 0.0, 1.0 / distance, 1.0), pace.most)


@kernel
def _weight(relations: Relations, item: int, ts: float, rate: float) -> float:
    """What an event of this time weighs in the item's row; moves the row on where that grows
    large.
    """
    if relations.seen[item] == 0 and relations.size[item] == 0:
        relations.since[item] = ts
    exponent = (ts - relations.since[item]) * rate
    if exponent <= LARGEST_EXPONENT:
        return math.exp(exponent)
    factor = np.float32(math.exp(-min(exponent, 80.0)))
    base = relations.base[item]
    for cell in range(base, base + relations.size[item]):
        for column in range(WEIGHTS):
            relations.weights[cell, column] *= factor
    for column in range(WEIGHTS):
        relations.totals[item, column] *= factor
    relations.seen[item] *= factor
    relations.since[item] = ts
    return 1.0


@kernel
def _add(
    relations: Relations,
    source: int,
    target: int,
    weight: float,
    parts: tuple[float, float, float, float],
    most: int,
) -> None:
    for column in range(WEIGHTS):
        relations.totals[source, column] += np.float32(weight * parts[column])
    base, size = relations.base[source], relations.size[source]
    for cell in range(base, base + size):
        if relations.items[cell] == target:
            for column in range(WEIGHTS):
                relations.weights[cell, column] += np.float32(weight * parts[column])
            return
    if size < most:
        if size == relations.room[source]:
            _grow(relations, source)
        cell = relations.base[source] + size
        relations.size[source] = size + 1
    else:
        cell = _lightest(relations, base, size)
        if relations.weights[cell, TOGETHER] > weight:
            return
    relations.items[cell] = target
    for column in range(WEIGHTS):
        relations.weights[cell, column] = np.float32(weight * parts[column])


@kernel
def _lightest(relations: Relations, base: int, size: int) -> int:
    lightest = base
    for cell in range(base, base + size):
        if relations.weights[cell, TOGETHER] < relations.weights[lightest, TOGETHER]:
            lightest = cell
    return int(lightest)


@kernel
def _grow(relations: Relations, source: int) -> None:
    room, old, kept = max(SMALLEST_BLOCK, 2 * relations.room[source]), relations.base[source], relations.room[source]
    kind = _class_of(room)
    base = relations.free[kind]
    if base >= 0:
        relations.free[kind] = relations.items[base]
    else:
        base = relations.end[0]
        relations.end[0] = base + room
    for i in range(relations.size[source]):
        relations.items[base + i] = relations.items[old + i]
        relations.weights[base + i] = relations.weights[old + i]
    if kept > 0:
        # Free blocks are chained through the item of their first cell.
        relations.items[old] = relations.free[_class_of(kept)]
        relations.free[_class_of(kept)] = old
    relations.base[source], relations.room[source] = base, room


@kernel
def _class_of(room: int) -> int:
    kind = 0
    while SMALLEST_BLOCK << kind < room:
        kind += 1
    return kind

"""Takes the pairs of cancelled orders out of the relations between items.

The trail of the order's session says which items stood beside it. A session that is no longer
remembered, because 65,536 others came after it, leaves its pairs as they are; they fade.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.ranker.relation_kernel import LARGEST_EXPONENT, Relations, SessionTrails
from models.ranker.relations import WINDOW, ItemRelations


def take_back_pairs(
    relations: ItemRelations, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]
) -> None:
    """Take back what these events added: hashes of their sessions, item numbers, and event times in
    seconds, shapes (n,).
    """
    for session, item, time in zip(sessions.tolist(), items.tolist(), ts.tolist(), strict=True):
        if item < len(relations.arrays.base):
            before, after = _cut_out(relations.trails, session, item)
            _take_back(relations.arrays, relations.rate, item, time, before, after)


def _cut_out(trails: SessionTrails, session: int, item: int) -> tuple[list[int], list[int]]:
    """Remove the item's last event from the session. Returns what came before it and after it."""
    slot = session & (len(trails.keys) - 1)
    if int(trails.keys[slot]) != session:
        return [], []
    trail = trails.items[slot, : trails.sizes[slot]].tolist()
    if item not in trail:
        return [], []
    at = len(trail) - 1 - trail[::-1].index(item)
    before, after = trail[:at], trail[at + 1 :]
    trails.items[slot, : len(trail) - 1] = before + after
    trails.sizes[slot] = len(trail) - 1
    return before, after


def _take_back(arrays: Relations, rate: float, item: int, ts: float, before: list[int], after: list[int]) -> None:
    def weight(source: int) -> float:
        return math.exp(min((ts - float(arrays.since[source])) * rate, LARGEST_EXPONENT))

    arrays.seen[item] = max(arrays.seen[item] - weight(item), 0.0)
    arrays.events[item] = max(arrays.events[item] - 1, 0)
    arrays.repeats[item] = max(arrays.repeats[item] - (item in before), 0)
    for distance, other in enumerate(reversed(before[-WINDOW:]), 1):
        if other != item:
            _subtract(arrays, other, item, weight(other), (1 / distance, float(distance == 1), 0.0, 1.0))
            _subtract(arrays, item, other, weight(item), (0.0, 0.0, 1 / distance, 1.0))
    # What came after it counted its own pairs with the order, some seconds or minutes later.
    for distance, other in enumerate(after[:WINDOW], 1):
        if other != item:
            _subtract(arrays, item, other, weight(item), (1 / distance, float(distance == 1), 0.0, 1.0))
            _subtract(arrays, other, item, weight(other), (0.0, 0.0, 1 / distance, 1.0))


def _subtract(
    arrays: Relations, source: int, target: int, weight: float, parts: tuple[float, float, float, float]
) -> None:
    taken = (weight * np.array(parts)).astype(np.float32)
    arrays.totals[source] = np.maximum(arrays.totals[source] - taken, 0)
    cells = slice(int(arrays.base[source]), int(arrays.base[source]) + int(arrays.size[source]))
    found = np.flatnonzero(arrays.items[cells] == target)
    if len(found):
        cell = cells.start + int(found[0])
        arrays.weights[cell] = np.maximum(arrays.weights[cell] - taken, 0)

"""SLIST, a linear model of sessions, to compare with (Choi et al., WWW 2021); extra `bench`.

    B = I - P (r I + (1 - a) Sᵀ W (S - T)),  P = (a Xᵀ W X + (1 - a) Sᵀ W S + r I)⁻¹

X are whole sessions, of unit length; S and T what came before and after each place of them, which
weighs less the farther away; W makes old sessions count less. Scores of a session x are x B. The
constants are from the middle of what the paper tries.
"""

from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bench.factors import RemadeModel

MOST_ITEMS = 4_000  # the most frequent ones: an inverse of all items would not fit
LONGEST = 30  # newest events of a session
ALPHA, RIDGE = 0.5, 10.0
BY_PLACE, BY_RECENCY = 1.0, 2.0  # places in which a weight falls to 1/e: in training, and of a session
BY_AGE = 256 * 86_400.0  # seconds, for sessions
MOST_CELLS = 2_000_000  # pairs of a place and an item that become one matrix


class LinearSessions(RemadeModel):
    """Makes B of all events so far from time to time; it stays as it is in between."""

    def make(self, items: NDArray[np.int32], sessions: NDArray[np.uint64], ts: NDArray[np.float64]) -> None:
        """Solve for B, of the most frequent items."""
        counts = np.bincount(items)
        self._known = np.sort(np.argsort(-counts, kind="stable")[: min(MOST_ITEMS, int((counts > 0).sum()))])
        self._number = np.full(len(counts), -1, np.int64)
        self._number[self._known] = np.arange(len(self._known))
        numbers = self._number[items]
        kept = numbers >= 0
        order = np.lexsort((np.arange(len(items))[kept], sessions[kept]))
        numbers, ends, times = numbers[kept][order], sessions[kept][order], ts[kept][order]
        starts = np.flatnonzero(np.r_[True, ends[1:] != ends[:-1], True])
        size = len(self._known)
        whole, past, mixed = (np.zeros((size, size), np.float32) for _ in range(3))
        for x, s, t in _matrices(numbers, times, starts, size):
            whole += (x.T @ x).toarray()
            past += (s.T @ s).toarray()
            mixed += (s.T @ t).toarray()
        inverse = np.linalg.inv(ALPHA * whole + (1 - ALPHA) * past + RIDGE * np.eye(size, dtype=np.float32))
        self._weights = inverse @ (ALPHA * whole + (1 - ALPHA) * mixed)

    def best(self, seen: NDArray[np.int32], count: int) -> list[int]:
        """The items with the highest scores."""
        seen = seen[-LONGEST:]
        inside = seen < len(self._number)
        numbers = np.where(inside, self._number[np.minimum(seen, len(self._number) - 1)], -1)
        weights = np.exp((np.arange(len(seen)) + 1 - len(seen)) / BY_RECENCY)
        scores = weights[numbers >= 0] @ self._weights[numbers[numbers >= 0]]
        best = np.argsort(-scores, kind="stable")[:count]
        return [int(item) for item in self._known[best[scores[best] > 0]]]


def _matrices(numbers: NDArray[np.int64], ts: NDArray[np.float64], starts: NDArray[np.int64], size: int) -> Any:
    """Yield X, S and T of some sessions at a time; rows are weighed by the root of W."""
    sparse, newest = import_module("scipy.sparse"), float(ts.max())
    parts: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    pairs = 0
    for start, end in pairwise(starts.tolist()):
        items = numbers[start:end][-LONGEST:]
        root = np.exp((ts[end - 1] - newest) / BY_AGE / 2)
        distinct = np.unique(items)
        parts[0].append((distinct, np.full(len(distinct), root / np.sqrt(len(distinct)))))
        for at in range(1, len(items)):
            back, ahead = np.arange(at - 1, -1, -1), np.arange(len(items) - at)
            parts[1].append((items[:at], root * np.exp(-back / BY_PLACE)))
            parts[2].append((items[at:], root * np.exp(-ahead / BY_PLACE)))
            pairs += len(items)
        if pairs > MOST_CELLS or end == starts[-1]:
            yield tuple(_table(sparse, rows, size) for rows in parts)
            parts, pairs = ([], [], []), 0


def _table(sparse: Any, rows: list[Any], size: int) -> Any:
    if not rows:
        return sparse.csr_matrix((0, size), dtype=np.float32)
    lengths = np.array([len(items) for items, _ in rows])
    at = np.repeat(np.arange(len(rows)), lengths)
    items, weights = (np.concatenate(column) for column in zip(*rows, strict=True))
    table = sparse.csr_matrix((weights.astype(np.float32), (at, items)), shape=(len(rows), size))
    table.sum_duplicates()
    return table

"""Which ranker leads: each is measured on what came next before it learns from it.

A ranker's gain on a list is its hit among the first K, plus 1 / rank. Gains are averaged with a
window of about WINDOW lists. The formula leads until a learned one gains more by more than noise:
by more than MARGIN standard errors of the difference.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

K = 20
WINDOW = 4_000.0
MARGIN = 1.0
LEAST = 50  # lists before a learned ranker may lead
FORMULA, LINEAR, HIDDEN = "formula", "linear", "hidden"
RANKERS = (FORMULA, LINEAR, HIDDEN)


class Judge:
    """Means of gains per ranker, and of their differences from the formula's."""

    def __init__(self) -> None:
        self.lists = 0
        self.hits = np.zeros(len(RANKERS))
        self.reciprocals = np.zeros(len(RANKERS))
        self._difference = np.zeros((len(RANKERS), len(RANKERS)))
        self._square = np.zeros((len(RANKERS), len(RANKERS)))

    def add(self, ranks: NDArray[Any]) -> None:
        """Count lists: ranks from 1, shape (n, rankers), 0 where the item was not in the list."""
        found = (ranks > 0) & (ranks <= K)
        reciprocal = np.where(found, 1.0 / np.maximum(ranks, 1), 0.0)
        for hit, share in zip(found, reciprocal, strict=True):
            self.lists += 1
            pace = max(1.0 / self.lists, 1.0 / WINDOW)
            self.hits += pace * (hit - self.hits)
            self.reciprocals += pace * (share - self.reciprocals)
            gain = hit + share
            difference = gain[:, None] - gain[None, :]
            self._difference += pace * (difference - self._difference)
            self._square += pace * (difference**2 - self._square)

    def leader(self) -> str:
        """The ranker that leads."""
        if self.lists < LEAST:
            return FORMULA
        best = 0
        for other in (1, 2):
            lists = min(float(self.lists), WINDOW)
            mean = self._difference[other, best]
            error = math.sqrt(max(self._square[other, best] - mean**2, 0.0) / lists)
            if mean > MARGIN * error and mean > 0:
                best = other
        return RANKERS[best]

"""Well-known recommenders to compare with: popularity, transitions, and neighbours of items.

All learn from every event. Lists end with what is popular where they would be short.
"""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.prequential import Answers
from models.ranker.relation_kernel import FORWARD, TOGETHER
from models.ranker.relations import ItemRelations, Prefixes
from models.recommender import LearningBatch

SIZE = 20
RECENT = 10  # newest items of a session that are looked at
HALF_LIFE_DAYS = 90.0  # the ranker's
SHRINKAGE = 10.0
NO_ITEM = -1


class PopularItems:
    """Lists the items with the most events so far; others build on it."""

    def __init__(self) -> None:
        self.counts: NDArray[np.float64] = np.zeros(1024)
        self._popular: list[int] = []

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Count events."""
        needed = int(events.items.max(initial=0)) + 1
        if needed > len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(needed)])
        np.add.at(self.counts, events.items, 1.0)
        self._popular = []

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        """Lists without the newest item of each session."""
        lists = np.full((len(own), SIZE), NO_ITEM, np.int32)
        for row in range(len(own)):
            seen = before.items[row, : before.sizes[row]]
            scores = self.scores(seen, int(own[row]))
            best = sorted(scores, key=lambda item: (-scores[item], item))[: SIZE + 1]
            kept = [item for item in dict.fromkeys([*best, *self._most_popular()]) if item != seen[-1]][:SIZE]
            lists[row, : len(kept)] = kept
        return Answers(lists, np.zeros(len(own), np.int64), np.zeros(len(own), np.uint16))

    def scores(self, seen: NDArray[np.int32], own: int) -> dict[int, float]:
        """Scores of items for a session that holds `seen`, oldest first; `own` is its hash."""
        return {}

    def _most_popular(self) -> list[int]:
        if not self._popular:
            order = np.lexsort((np.arange(len(self.counts)), -self.counts))[: 2 * SIZE + 1]
            self._popular = [item for item in order.tolist() if self.counts[item] > 0]
        return self._popular


class ItemTransitions(PopularItems):
    """Lists what followed the newest item within 10 events, by 1 / distance."""

    def __init__(self) -> None:
        super().__init__()
        self.relations = ItemRelations(HALF_LIFE_DAYS)

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Count events and pairs."""
        super().learn(events, users)
        before = self.relations.follow(events.sessions, events.items)
        self.relations.learn(events.items, events.ts, before)

    def scores(self, seen: NDArray[np.int32], own: int) -> dict[int, float]:
        """Weights of the pairs that begin with the newest item."""
        others, weights = self._pairs(int(seen[-1]))
        return dict(zip(others.tolist(), weights[:, FORWARD].tolist(), strict=True))

    def _pairs(self, item: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        pairs = self.relations.arrays
        if item >= len(pairs.base):
            return np.zeros(0, np.int32), np.zeros((0, pairs.weights.shape[1]), np.float32)
        cells = slice(pairs.base[item], pairs.base[item] + pairs.size[item])
        return pairs.items[cells], pairs.weights[cells]


class ItemNeighbours(ItemTransitions):
    """Lists what occurs in the sessions of the session's items: cosines (item-kNN; Sarwar et al.,
    WWW 2001), added up over its newest items.
    """

    def scores(self, seen: NDArray[np.int32], own: int) -> dict[int, float]:
        """Sums of cosines, shrunk where items are seldom."""
        totals: dict[int, float] = {}
        seen_times = self.relations.arrays.seen
        for item in dict.fromkeys(reversed(seen[-RECENT:].tolist())):
            others, weights = self._pairs(item)
            if len(others):
                norm = np.sqrt((seen_times[item] + SHRINKAGE) * (seen_times[others] + SHRINKAGE))
                for other, cosine in zip(others.tolist(), (weights[:, TOGETHER] / norm).tolist(), strict=True):
                    totals[other] = totals.get(other, 0.0) + cosine
        return totals

"""Models of all sessions so far, made again from time to time, to compare with; those of the
package `implicit` (extra `bench`).
"""

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.prequential import Answers
from models.evaluation.related_peers import SIZE
from models.ranker.relations import Prefixes
from models.recommender import LearningBatch

FACTORS = 64
SEED = 0
GROWTH = 1.1  # the model is made again once the events are this many times as many


class RemadeModel(ABC):
    """Makes a model of all events so far from time to time; it stays as it is in between."""

    def __init__(self) -> None:
        self._events: list[tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.float64]]] = []
        self._learned, self._made_of = 0, 0

    @abstractmethod
    def make(self, items: NDArray[np.int32], sessions: NDArray[np.uint64], ts: NDArray[np.float64]) -> None:
        """Make the model of these events, which are in time order."""

    @abstractmethod
    def best(self, seen: NDArray[np.int32], count: int) -> list[int]:
        """The best items for a session that holds `seen`, oldest first."""

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Remember the events."""
        self._events.append((events.items.copy(), events.sessions.copy(), events.ts.copy()))
        self._learned += len(events.items)

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        """Lists without the newest item of each session."""
        if self._learned > GROWTH * self._made_of:
            self.make(*(np.concatenate(column) for column in zip(*self._events, strict=True)))
            self._made_of = self._learned
        lists = np.full((len(own), SIZE), -1, np.int32)
        for row in range(len(own)) if self._made_of else ():
            seen = before.items[row, : before.sizes[row]]
            kept = [item for item in self.best(seen, SIZE + 1) if item != seen[-1]][:SIZE]
            lists[row, : len(kept)] = kept
        return Answers(lists, np.zeros(len(own), np.int64), np.zeros(len(own), np.uint16))


class SessionFactors(RemadeModel):
    """Factors of sessions and items.

    ALS (Hu et al., ICDM 2008) folds a session in by its items. BPR (Rendle et al., UAI 2009) lists
    the items most similar to the newest one, as the package cannot fold sessions into it.
    """

    def __init__(self, *, pairwise: bool) -> None:
        super().__init__()
        self._pairwise = pairwise
        self._model: Any = None
        self._count = 0

    def best(self, seen: NDArray[np.int32], count: int) -> list[int]:
        """The items with the largest products."""
        if self._pairwise:
            known = seen[-1] < self._count
            found = self._model.similar_items(int(seen[-1]), N=count)[0] if known else np.zeros(0, np.int32)
        else:
            row = self._matrix(np.zeros(len(seen), np.int64), np.minimum(seen, self._count - 1), 1)
            found, _ = self._model.recommend(0, row, N=count, recalculate_user=True, filter_already_liked_items=False)
        return [int(item) for item in np.ravel(found)]

    def make(self, items: NDArray[np.int32], sessions: NDArray[np.uint64], ts: NDArray[np.float64]) -> None:
        """Fit the package's model."""
        _, rows = np.unique(sessions, return_inverse=True)
        self._count = int(items.max()) + 1
        table = self._matrix(rows.astype(np.int64), items, int(rows.max()) + 1)
        module, name = ("bpr", "BayesianPersonalizedRanking") if self._pairwise else ("als", "AlternatingLeastSquares")
        self._model = getattr(import_module(f"implicit.{module}"), name)(
            factors=FACTORS, random_state=SEED, num_threads=1
        )
        self._model.fit(table, show_progress=False)

    def _matrix(self, rows: NDArray[np.int64], items: NDArray[np.int32], count: int) -> Any:
        ones = np.ones(len(items), np.float32)
        table = import_module("scipy.sparse").csr_matrix((ones, (rows, items)), shape=(count, self._count))
        table.sum_duplicates()
        return table

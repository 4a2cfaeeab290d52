"""LambdaRank by LightGBM (extra `bench`) on the candidates and features of the learned ranker, to
compare with (Burges, 2010).
"""

from collections import deque
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.prequential import Answers
from models.ranker.arrays import NO_ITEM
from models.ranker.prefixes import requests_after
from models.ranker.ranker import LISTS, Ranker
from models.ranker.relations import Prefixes
from models.ranker.sharing import in_sample
from models.recommender import LearningBatch

SAMPLE = 0.25  # of the events, whose lists are kept
NEWEST = 3_000  # lists that trees are grown from
FEWEST = 100
GROWTH = 1.25  # trees are grown again once the lists are this many times as many
TREES = 100
PARAMETERS = {
    "objective": "lambdarank",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "num_threads": 1,
    "deterministic": True,
    "seed": 0,
    "verbosity": -1,
}


class BoostedTrees:
    """Keeps the newest lists with what came next, and grows trees from them from time to time; the
    formula ranks before the first.
    """

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker
        self._kept: deque[tuple[NDArray[np.float32], int]] = deque(maxlen=NEWEST)
        self._collected, self.trees_grown_of = 0, 0
        self._trees: Any = None

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Keep lists of a sample, then let relations and neighbours learn all events."""
        for part, _ in self._ranker.parts(events):
            before = self._ranker.follow(part)
            chosen = in_sample(part.sessions, part.items, part.ts, SAMPLE)
            rows = np.flatnonzero((before.sizes > 0) & chosen)
            for start in range(0, len(rows), LISTS):
                self._collect(part, before, rows[start : start + LISTS])
            self._ranker.take_in(part, before)

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        """Lists without the newest item of each session."""
        if self._collected > max(FEWEST, GROWTH * self.trees_grown_of):
            self._grow()
        requests, recommender = requests_after(before, own), self._ranker.recommender
        lists = recommender.by_formula(requests).items.copy()
        if self._trees is not None:
            weight = recommender.catalogue.weight
            for start in range(0, len(own), LISTS):
                rows = slice(start, start + LISTS)
                part = Prefixes(before.items[rows], before.sizes[rows])
                found, features = self._ranker.candidates(part, own[rows])
                for row, size in enumerate(found.sizes.tolist()):
                    items = found.items[row, :size]
                    may = (items != requests.excluded[start + row]) & (weight[items] > 0)
                    scores = self._trees.predict(features[row, :, :size].T[may], num_threads=1)
                    _put_first(lists[start + row], items[may][np.argsort(-scores, kind="stable")])
        return Answers(lists, np.zeros(len(own), np.int64), np.zeros(len(own), np.uint16))

    def _collect(self, events: LearningBatch, before: Prefixes, rows: NDArray[np.intp]) -> None:
        part = Prefixes(before.items[rows], before.sizes[rows])
        found, features = self._ranker.candidates(part, events.sessions[rows])
        for row, size in enumerate(found.sizes.tolist()):
            at = np.flatnonzero(found.items[row, :size] == events.items[rows[row]])
            if len(at):
                self._kept.append((features[row, :, :size].T.copy(), int(at[0])))
                self._collected += 1

    def _grow(self) -> None:
        lightgbm: Any = import_module("lightgbm")
        rows = np.concatenate([features for features, _ in self._kept])
        sizes = np.array([len(features) for features, _ in self._kept])
        labels = np.zeros(len(rows), np.int32)
        labels[np.cumsum(sizes) - sizes + np.array([at for _, at in self._kept])] = 1
        self._trees = lightgbm.train(PARAMETERS, lightgbm.Dataset(rows, labels, group=sizes), TREES)
        self.trees_grown_of = self._collected


def _put_first(row: NDArray[np.int32], best: NDArray[np.int32]) -> None:
    """Let a list begin with the best items; where they are few, what it had follows."""
    both = dict.fromkeys([*best[: len(row)].tolist(), *row[row != NO_ITEM].tolist()])
    kept = list(both)[: len(row)]
    row[: len(kept)] = kept

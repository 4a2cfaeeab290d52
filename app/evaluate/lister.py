"""Lists by the formula or by a learned ranker, whichever was asked for or leads."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from app.worker.compiling import told_if_slow
from models.evaluation.prequential import Answers, ranks_of
from models.evaluation.session_protocol import Case
from models.ranker.arrays import NO_ITEM
from models.ranker.judge import FORMULA, RANKERS
from models.ranker.live import warm_up
from models.ranker.prefixes import found_by, requests_after
from models.ranker.ranker import LISTS, Ranker
from models.ranker.relations import Prefixes
from models.ranker.settings import RankerSettings
from models.recommender import LearningBatch, Recommender
from models.users.gather import ListRequests

AUTO = "auto"
CHOICES = (AUTO, *RANKERS)


class Lister:
    """A recommender with a ranker that learns beside it; with the formula alone, only the first."""

    def __init__(self, recommender: Recommender, choice: str, settings: RankerSettings) -> None:
        """`choice` is a ranker's name, or AUTO for the one that leads when the past is learned."""
        self.recommender = recommender
        self.ranker = None if choice == FORMULA else Ranker(recommender, settings)
        self._choice = self._used = choice

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Take in what users did; `users` (n,) are their hashes."""
        if self.ranker is None:
            self.recommender.learn(events)
        else:
            self.ranker.learn(events, users)

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        """Lists for sessions as of now, by the ranker that was chosen or leads now."""
        requests, size = requests_after(before, own), self.recommender.settings.ranking.size
        lists = self.recommender.recommend(requests).items
        by_formula, found = ranks_of(lists, targets), np.zeros(len(targets), np.uint16)
        used = FORMULA if self.ranker is None else self.ranker.leader if self._choice == AUTO else self._choice
        if self.ranker is not None and used != FORMULA:
            learned = np.full(lists.shape, NO_ITEM, np.int32)
            for start in range(0, len(own), LISTS):
                rows = slice(start, start + LISTS)
                part = Prefixes(before.items[rows], before.sizes[rows])
                candidates = self.ranker.rank_after(part, own[rows], used, learned[rows], repeats=False)
                found[rows] = found_by(candidates, targets[rows])
            lists = _filled(learned, lists, size)
        self._used = used
        return Answers(lists, by_formula, found)

    def warm_up(self) -> None:
        """Compile what learning and lists need, or load it. Says so if that takes long."""
        with told_if_slow():
            self.recommender.warm_up()
            if self.ranker is not None:
                warm_up()

    def begin(self) -> None:
        """Choose the ranker of all lists to come."""
        if self.ranker is None:
            return
        # Compiled, or read from numba's cache, before the first list is timed.
        self.ranker.rank([np.zeros(1, np.int32)], RANKERS[-1], 1, repeats=False)
        # Lists were made on the way: what is popular must follow from all events.
        self.recommender.freshen()
        if self._choice == AUTO:
            self._used = self.ranker.leader

    def list_for(self, case: Case, request: ListRequests, *, repeats: bool) -> Sequence[str]:
        """Item ids, best first; with `repeats` the item being looked at may be one of them."""
        recommender = self.recommender
        names, size = recommender.items.names, recommender.settings.ranking.size
        best: list[str] = []
        if self.ranker is not None and self._used != FORMULA:
            seen = recommender.items.numbers(case.seen)
            row = self.ranker.rank([seen], self._used, size, repeats=repeats)[0]
            best = [names[item] for item in row.tolist() if item >= 0]
            if len(best) == size:
                return best
        if repeats:
            request = request._replace(excluded=np.zeros(0, np.int32), excluded_starts=np.zeros(2, np.int64))
        return list(dict.fromkeys(chain(best, self.formula_list(request))))[:size]

    def formula_list(self, request: ListRequests) -> Sequence[str]:
        """Item ids by the formula, best first."""
        return self.recommender.recommend(request).ranking(0, self.recommender.items.names).item_ids

    def figures(self) -> Mapping[str, object]:
        """Which ranker made the lists, and what each predicted while it learned."""
        if self.ranker is None:
            return {"ranker": FORMULA}
        judge = self.ranker.judge
        learning = {
            name: {"hit_rate@20": round(float(hits), 4), "mrr@20": round(float(mrr), 4)}
            for name, hits, mrr in zip(RANKERS, judge.hits, judge.reciprocals, strict=True)
        }
        return {"ranker": self._used, "learning": learning, "learning_stopped": self.ranker.has_stopped}


def _filled(lists: NDArray[np.int32], others: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Lists (n, size); where they end early, what the others have and they do not follows."""
    for row in np.flatnonzero(lists[:, -1] == NO_ITEM):
        both = [item for item in chain(lists[row].tolist(), others[row].tolist()) if item != NO_ITEM]
        kept = list(dict.fromkeys(both))[:size]
        lists[row, : len(kept)] = kept
    return lists

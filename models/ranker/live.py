"""The learned ranker of a worker: ranks lists by published weights, and learns new ones beside.

Relations between items are learned by every worker from all interactions. Weights are learned by
one, and all rank by those that it published, so that all rank alike.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ranker.arrays import MOST, NO_ITEM
from models.ranker.features import COUNT
from models.ranker.goods import CatalogueGoods
from models.ranker.judge import FORMULA, RANKERS, RankerJudge
from models.ranker.listed import take_listed, take_profiles
from models.ranker.network import make_learner
from models.ranker.pairs_taken_back import take_back_pairs
from models.ranker.ranker import LISTS, Ranker
from models.ranker.relations import Prefixes
from models.ranker.settings import AUTO, BY_FORMULA, LEARNED, RankerSettings
from models.ranker.weights import LARGEST, PARTS, RankerRecord, RankerWeights, encode_weights, is_sound
from models.ranking.learned import LearnedLists
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.state import Arrays
from models.users.gather import NO_SESSION, ListRequests

LEAST = 500  # lists that were predicted before a learned ranker may lead
LEAST_LEARNED = 50  # lists, where learned ranking is asked for


class LiveRanker:
    """The `LearnedRanker` of a recommender; for one thread at a time.

    `lists_learned` counts what was learned from since weights were first published, by whom ever.
    `newest` are the newest published weights, and `pinned` those that rank in their place.
    """

    def __init__(self, recommender: Recommender, mode: str = AUTO, least: int = LEAST) -> None:
        """`mode` is AUTO or LEARNED."""
        if mode == BY_FORMULA:
            raise ValueError("the formula alone needs no learned ranker")
        said = CatalogueGoods(recommender.catalogue)
        self.ranker = Ranker(recommender, RankerSettings(least=least), said)
        self.newest: RankerWeights | None = None
        self.pinned: RankerWeights | None = None
        self.lists_learned = 0
        self._mode = mode
        recommender.learned = self

    @property
    def next_version(self) -> int:
        """The version of the weights to be published next."""
        return min(1 + (self.newest.record.version if self.newest is not None else 0), LARGEST)

    @property
    def generation(self) -> int:
        """How often published weights were rolled back."""
        return self.newest.record.generation if self.newest is not None else 0

    @property
    def served(self) -> RankerRecord | None:
        """The weights that rank: the pinned ones, or the newest; None before any."""
        weights = self.pinned or self.newest
        return weights.record if weights is not None else None

    @property
    def leader(self) -> str:
        """Who ranks lists: the formula, or a learned ranker by its name.

        Where learning stopped at a number that is none, features may hold it, too: the formula
        ranks, also when other weights are pinned.
        """
        record, newest = self.served, self.newest
        if record is None or self.ranker.has_stopped or (newest is not None and newest.record.stopped):
            return FORMULA
        if self.pinned is not None:
            return record.better
        if self._mode == LEARNED:
            return record.better if record.lists >= LEAST_LEARNED else FORMULA
        return record.leader

    @property
    def model(self) -> str:
        """What makes lists now; empty while the formula does."""
        return f"ranker-{self.served.version}" if self.served is not None and self.leader != FORMULA else ""

    def lists(self, requests: ListRequests, size: int) -> LearnedLists | None:
        """Lists, which may end early; None while the formula ranks.

        A session that is not remembered is that of the user's recent items.
        """
        leader = self.leader
        if leader == FORMULA:
            return None
        before = self.ranker.relations.held(requests.sessions)
        take_profiles(requests.items, requests.starts, before.items, before.sizes)
        found = LearnedLists(
            np.full((requests.users, size), NO_ITEM, np.int32), np.zeros((requests.users, size), np.uint8)
        )
        rows = np.flatnonzero(before.sizes)
        width = size + int(np.diff(requests.excluded_starts).max(initial=0))
        for start in range(0, len(rows), LISTS):
            these = rows[start : start + LISTS]
            best = np.full((len(these), width), NO_ITEM, np.int32)
            part = Prefixes(before.items[these], before.sizes[these])
            candidates = self.ranker.rank_after(part, requests.sessions[these], leader, best, repeats=True)
            take_listed(best, candidates, these, requests.excluded, requests.excluded_starts, *found)
        return found

    def teach(self, events: LearningBatch, users: NDArray[np.uint64], before: Prefixes, sample: float) -> int:
        """As `Ranker.teach`."""
        count = self.ranker.teach(events, users, before, sample)
        self.lists_learned += count
        return count

    def publish(self, trainer: str) -> bytes:
        """The record of what is learned now.

        Once learning stopped at numbers that nobody would read, it is that of a ranker that learned
        nothing, so that the others hear of it.
        """
        ranker = self.ranker
        learner, judge, lists = ranker.learner, ranker.judge, self.lists_learned
        if ranker.has_stopped and not is_sound(learner):
            learner, judge, lists = make_learner(COUNT, MOST, RankerSettings().seed), RankerJudge(), 0
        return encode_weights(
            learner,
            judge,
            version=self.next_version,
            trainer=trainer,
            lists=min(lists, LARGEST),
            leader=ranker.leader,
            better=judge.better(),
            stopped=ranker.has_stopped,
            generation=self.generation,
        )

    def is_out_of_date(self, record: RankerRecord) -> bool:
        """Whether these weights were learned on from some that were rolled back."""
        return record.generation < self.generation

    def serve(self, weights: RankerWeights) -> None:
        """Rank by these weights from now on, unless others are pinned."""
        self.newest = weights
        self._choose()

    def pin(self, weights: RankerWeights | None) -> None:
        """Rank by these weights whatever the newest are; None ends it."""
        self.pinned = weights
        self._choose()

    def _choose(self) -> None:
        weights = self.pinned or self.newest
        self.ranker.served = weights.learner if weights is not None else self.ranker.learner

    def go_on_from(self, weights: RankerWeights) -> None:
        """Learn on from these weights, of which this ranker then has a copy of its own. Raises
        ValueError for unfit ones.
        """
        ranker = self.ranker
        ranker.judge.resume(weights.judged)
        for part in PARTS:
            for own, other in zip(getattr(ranker.learner, part), getattr(weights.learner, part), strict=True):
                own[...] = other
        ranker.learner.work.losses[:] = weights.learner.work.losses
        self.lists_learned = weights.record.lists

    def forget(self, sessions: NDArray[np.uint64]) -> None:
        """Forget the sessions with these hashes, shape (n,)."""
        self.ranker.relations.forget(sessions)

    def unlearn(self, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        """Forget how cancelled orders related items; columns of length n."""
        take_back_pairs(self.ranker.relations, sessions, items, ts)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Columns of the relations; the weights are in the log."""
        return self.ranker.relations.snapshot()

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave. Raises ValueError for others."""
        self.ranker.relations.restore(arrays)


def warm_up() -> None:
    """Compile everything that ranking and learning need, or load it from numba's cache."""
    recommender = Recommender(RecommenderSettings())
    live = LiveRanker(recommender, LEARNED)
    items = np.array([0, 1, 2, 1, 2], np.int32)
    recommender.items.numbers(map(str, items.tolist()))
    sessions = np.array([1, 1, 1, 2, 2], np.uint64)
    live.ranker.learn(LearningBatch(items, sessions, np.arange(5.0), np.zeros(5, np.int32)))
    seen = ListRequests.of_items(items[:1], 2)
    for session in (2, NO_SESSION):
        request = seen._replace(sessions=np.array([session], np.uint64))
        before = live.ranker.relations.held(request.sessions)
        take_profiles(request.items, request.starts, before.items, before.sizes)
        for name in RANKERS[1:]:
            best = np.full((1, 2), NO_ITEM, np.int32)
            found = live.ranker.rank_after(before, request.sessions, name, best, repeats=True)
            listed = LearnedLists(np.full((1, 1), NO_ITEM, np.int32), np.zeros((1, 1), np.uint8))
            take_listed(best, found, np.zeros(1, np.int64), request.excluded, request.excluded_starts, *listed)

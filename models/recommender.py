"""What is learned from all users, and the lists that follow from it; worker, replay and evaluation
all run this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue, CatalogueSettings
from models.contract.lists import Ranking
from models.items.facts import ItemFacts
from models.neighbours.copy import Room
from models.neighbours.index import NeighbourIndex, NeighbourSettings, Queries
from models.neighbours.recommender_copy import RecommenderCopy
from models.neighbours.snapshot import check_events
from models.profile import ProfileSettings
from models.ranking.kernel import Marks, Shop, rank, with_room
from models.ranking.learned import LearnedRanker
from models.ranking.lists import NO_ITEM, Candidates, RankedLists, RankingSettings
from models.ranking.popularity import NOTHING_POPULAR, Popularity, popularity
from models.state import Arrays, part, require
from models.trending import Trending, TrendingLists, TrendingSettings
from models.users.arrays import Names
from models.users.gather import NO_SESSION, ListRequests
from models.vectors.fusion import Balance, fuse
from models.vectors.item_vectors import Exclusions, ItemFilters
from models.vectors.semantic import Meaning, SemanticSettings
from models.vocabulary import Vocabulary

FORMULA = "vmis-knn"

# What lists may take of a processor in one go, about 30 ms: so many signs of vectors are compared
# (see `models.vectors.scan`), and at most this many users get lists by their neighbours.
COMPARED_AT_ONCE = 8_000_000
MOST_USERS_AT_ONCE = 256
FEWEST_USERS_AT_ONCE = 8  # with fewer, what each step begins with takes more time than their lists


@dataclass(frozen=True, slots=True)
class RecommenderSettings:
    """The settings of all that the recommender is made of."""

    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    trending: TrendingSettings = field(default_factory=TrendingSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)
    semantic: SemanticSettings = field(default_factory=SemanticSettings)
    catalogue: CatalogueSettings = field(default_factory=CatalogueSettings)


class LearningBatch(NamedTuple):
    """Interactions to learn from, as columns of length n: item numbers, session hashes, event
    times, kinds.
    """

    items: NDArray[np.int32]
    sessions: NDArray[np.uint64]
    ts: NDArray[np.float64]
    kinds: NDArray[np.int32]


class Recommender:
    """The neighbour index, trending counts and catalogue of one worker; every worker holds them
    whole.
    """

    def __init__(self, settings: RecommenderSettings) -> None:
        self.settings = settings
        self.items = Vocabulary()
        self.catalogue = Catalogue(self.items, settings.catalogue)
        self.index = NeighbourIndex(settings.neighbours, self.items)
        self.trending = Trending(settings.trending)
        self.meaning = Meaning(settings.semantic, settings.profile, self.items)
        self.learned: LearnedRanker | None = None
        self._lists: TrendingLists | None = None
        self._popular = NOTHING_POPULAR
        self._is_stale = True
        self._marks = with_room(Marks(np.zeros(0, np.int64), np.zeros(0, np.int64), 0), 1024, 64)
        self._learned = 0
        self._learned_at_lists = 0

    def warm_up(self) -> None:
        """Compile everything, or load it from numba's cache, so that the first user does not wait
        for it.
        """
        self.index.warm_up()
        self.meaning.warm_up()
        Trending(self.settings.trending).update(np.zeros(1, np.int32), np.zeros(1), np.zeros(1))
        Recommender(self.settings).recommend(ListRequests.of_items(np.zeros(0, np.int32), NO_SESSION))

    def learn(self, events: LearningBatch) -> None:
        """Take in what users did; a list asked for afterwards follows from it."""
        self.index.update(events.sessions, events.items, events.ts)
        self.trending.update(events.items, events.ts, self.settings.profile.weights[events.kinds])
        self.catalogue.facts.learn(events.items, events.kinds, events.ts)
        self._learned += len(events.items)

    def forget(self, sessions: NDArray[np.uint64]) -> int:
        """Forget the sessions with these hashes, shape (n,). Returns how many were known.

        Counts of items and weights between items are sums over all users, and stay.
        """
        if self.learned is not None:
            self.learned.forget(sessions)
        return self.index.forget(sessions)

    def catalogue_changed(self) -> None:
        """Forget what was derived from the catalogue before."""
        self._is_stale = True

    def freshen(self) -> None:
        """Let the trending lists follow from all that was learned, however little of it is new."""
        self._is_stale |= self._learned != self._learned_at_lists

    def trending_lists(self) -> TrendingLists:
        """Trending items by name; computed again once a hundredth of all interactions is new."""
        self._popular_now()
        if self._lists is None:
            self._lists = self.trending.lists(self.catalogue, self.items.names, self._pool_size)
        return self._lists

    def _popular_now(self) -> Popularity:
        if self._is_stale or self._learned - self._learned_at_lists > self._learned_at_lists // 100:
            pool, catalogue = self.trending.pool(self.catalogue), self.catalogue
            names = self._names()
            self._popular = popularity(pool, catalogue.category, len(catalogue.categories), names, self._pool_size)
            self._lists, self._is_stale, self._learned_at_lists = None, False, self._learned
        return self._popular

    def _names(self) -> Names:
        names = self.index.names
        names.catch_up()
        return Names(names.text, names.starts)

    def tastes(self, requests: ListRequests) -> NDArray[np.float32] | None:
        """Each user's taste, shape (users, dimension); None while meaning does not count."""
        return self.meaning.tastes(requests) if self.meaning.is_used else None

    @property
    def model(self) -> str:
        """What makes lists now."""
        return (self.learned.model if self.learned is not None else "") or FORMULA

    def recommend(self, requests: ListRequests, tastes: NDArray[np.float32] | None = None) -> RankedLists:
        """One ranked list per request, in their order. `tastes` are theirs, where they are at hand
        already.
        """
        size = self.settings.ranking.size
        learned = self.learned.lists(requests, size) if self.learned is not None and requests.users else None
        if learned is None:
            return self.by_formula(requests, tastes)
        lists = RankedLists.empty(requests.users, size)
        # A learned list has an order only; 1 / place is a score that shows no more.
        places = np.broadcast_to(1.0 / np.arange(1, size + 1), learned.items.shape)
        none = np.zeros(learned.items.shape, np.bool_)
        self._rank(Candidates(learned.items, places, none, none), requests, self._popular_now(), lists)
        np.copyto(lists.sources, learned.sources, where=learned.items != NO_ITEM)
        return lists

    def by_formula(self, requests: ListRequests, tastes: NDArray[np.float32] | None = None) -> RankedLists:
        """What `recommend` gives while no learned ranker leads."""
        size = self.settings.ranking.size
        lists = RankedLists.empty(requests.users, size)
        if not requests.users:
            return lists
        if tastes is None:
            tastes = self.tastes(requests)
        if tastes is None:
            found = Candidates.of_neighbours(*self.neighbours(requests, size))
        else:
            found = self._blend(tastes, requests, size)
        self._rank(found, requests, self._popular_now(), lists)
        return lists

    @property
    def users_at_once(self) -> int:
        """For how many users `recommend` may be asked without holding up its thread for long."""
        compared = len(self.meaning.vectors) if self.meaning.is_used else 0
        return max(FEWEST_USERS_AT_ONCE, min(MOST_USERS_AT_ONCE, COMPARED_AT_ONCE // max(compared, 1)))

    def neighbours(self, requests: ListRequests, n: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """What each user's nearest sessions vote for: item numbers, best first, and scores; shapes
        (users, n).
        """
        return self.index.predict_many(_queries(requests), self.catalogue.weight, n)

    def _rank(self, found: Candidates, requests: ListRequests, popular: Popularity, lists: RankedLists) -> None:
        self._marks = with_room(self._marks, len(self.items), len(popular.starts))
        rank(found, requests, Shop(*self._names(), self.catalogue.category), popular, self._marks, lists)
        self._marks = self._marks._replace(done=self._marks.done + requests.users)

    def similar(self, item_id: str, k: int) -> Ranking:
        """The items most like this one: its neighbours, and what is near in meaning; empty when
        neither is known.
        """
        number = self.items.find(item_id)
        if number is None:
            return Ranking((), (), ())
        item = np.array([number], np.int32)
        request = ListRequests.of_items(item, NO_SESSION)
        if not self.meaning.is_used:
            found = Candidates.of_neighbours(*self.neighbours(request, k))
        else:
            no_taste = np.zeros((1, self.meaning.vectors.dimension), np.float32)
            found = self._blend(no_taste, request, k)
        lists = RankedLists.empty(1, k)
        self._rank(found, request, NOTHING_POPULAR, lists)
        return lists.ranking(0, self.items.names)

    @property
    def vector_model(self) -> str:
        """The model that made the item vectors; empty before the first."""
        return self.meaning.vectors.model

    def set_vectors(self, model: str, item_ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """These items now mean this; vectors have shape (n, dimension).

        Raises ValueError when they are another model's than those held (`forget_vectors` first), or
        unfit.
        """
        self.meaning.vectors.set(model, self.items.numbers(item_ids), vectors)

    def remove_vectors(self, item_ids: Sequence[str]) -> None:
        """Nothing is known any more of what these items mean."""
        known = [self.items.find(item_id) for item_id in item_ids]
        self.meaning.vectors.remove(np.array([number for number in known if number is not None], np.int32))

    def forget_vectors(self) -> None:
        """Drop all vectors, to begin with those of another model."""
        self.meaning.vectors.forget()

    def copy(self, room: Room) -> RecommenderCopy:
        """The state as it is now, in memory that `index.room` got."""
        return RecommenderCopy(
            index=self.index.copy(room),
            names=self.items.names.copy(),
            catalogue=self.catalogue.snapshot(),
            trending=self.trending.snapshot(),
            facts=self.catalogue.facts.snapshot(),
            learned=self.learned.snapshot() if self.learned is not None else {},
        )

    def restore(self, arrays: Arrays) -> None:
        """Take over the columns of a copy, into an empty recommender. Raises ValueError, before it
        changes anything.
        """
        self.check(arrays)
        self.trending.restore(part(arrays, "trending"))
        self.index.restore(part(arrays, "neighbours"))
        self.catalogue.restore(part(arrays, "catalogue"))
        self.catalogue.facts.restore(part(arrays, "facts"))
        if self.learned is not None:
            self.learned.restore(part(arrays, "learned"))
        self.catalogue_changed()

    @staticmethod
    def check(arrays: Arrays) -> int:
        """The number of items that have names. Raises ValueError when `restore` could not take the
        columns; those of a learned ranker are its own.
        """
        names = check_events(part(arrays, "neighbours"))
        Catalogue.check(part(arrays, "catalogue"))
        require(Trending.check(part(arrays, "trending")) <= names, "a popular item has no name")
        ItemFacts.check(part(arrays, "facts"))
        return names

    @property
    def _pool_size(self) -> int:
        # A user's exclusions must not empty the fallback: the pool holds that many more items.
        settings = self.settings
        return settings.ranking.size + settings.ranking.exclude_recent + settings.profile.bought_items

    def _blend(self, tastes: NDArray[np.float32], requests: ListRequests, size: int) -> Candidates:
        """Neighbours and what is near in meaning; what a user has seen is found by neighbours
        only.
        """
        chosen = self.settings.semantic
        neighbours, _ = self.neighbours(requests, max(size, chosen.candidates))
        late = self._cold()
        filters = ItemFilters(self.catalogue.weight, late, self.index.name_keys())
        last = min(chosen.last_items, self.settings.neighbours.last_items)
        wishes = self.meaning.wishes(requests.items, requests.starts, tastes, last)
        near = self.meaning.find(wishes, Exclusions.seen_or_excluded(requests), filters, size)
        return fuse(neighbours, near, late, Balance(chosen.weight, chosen.rank_offset, chosen.cold_slots))

    def _cold(self) -> NDArray[np.bool_]:
        """Whether too few have seen an item for neighbours to lead to it, by item number."""
        fewest = self.settings.semantic.cold_sessions
        cold = np.full(len(self.items), fewest > 0)
        counted = self.index.sessions_by_item()[: len(cold)]
        np.less(counted, fewest, out=cold[: len(counted)])
        return cold


def _queries(requests: ListRequests) -> Queries:
    return Queries(requests.items, requests.starts, requests.excluded, requests.excluded_starts, requests.sessions)

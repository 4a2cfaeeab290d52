"""What is learned from all users, and the lists that follow from it; worker, replay and evaluation all run this."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_CATEGORY, Catalogue, CatalogueSettings
from models.contract.lists import Ranking
from models.neighbours.arrays import Index
from models.neighbours.copy import Room
from models.neighbours.index import NeighbourIndex, NeighbourSettings, Queries
from models.neighbours.snapshot import check_events, list_events
from models.profile import Profile, ProfileSettings
from models.ranking import Candidates, RankingSettings, rank
from models.state import Arrays, nested, pack, part, require
from models.trending import Popular, Trending, TrendingLists, TrendingSettings
from models.vectors.fusion import Balance, candidates, fuse
from models.vectors.item_vectors import Barred, Shelf
from models.vectors.semantic import Meaning, SemanticSettings
from models.vocabulary import Vocabulary

NO_SESSION = 0


@dataclass(frozen=True, slots=True)
class RecommenderSettings:
    """The settings of all that the recommender is made of."""

    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    trending: TrendingSettings = field(default_factory=TrendingSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)
    semantic: SemanticSettings = field(default_factory=SemanticSettings)
    catalogue: CatalogueSettings = field(default_factory=CatalogueSettings)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Interactions to learn from, as columns of length n: item numbers, session hashes, event times, weights."""

    items: NDArray[np.int32]
    sessions: NDArray[np.uint64]
    ts: NDArray[np.float64]
    weights: NDArray[np.float64]


class Asker(NamedTuple):
    """For whom a list is wanted: the profile, and the hash of the session that is going on (0: none)."""

    profile: Profile
    session: int


@dataclass(frozen=True, slots=True)
class RecommenderCopy:
    """A recommender's state at one moment; `arrays` turns it into columns at leisure, in any thread."""

    index: Index
    names: list[str]
    catalogue: Arrays
    trending: Arrays

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Columns from which `Recommender.restore` makes the same state."""
        neighbours = list_events(self.index)._asdict() | pack(self.names, "names", "name_starts")
        return nested(neighbours=neighbours, catalogue=self.catalogue, trending=self.trending)


class Recommender:
    """The neighbour index, trending counts and catalogue of one worker; every worker holds them whole."""

    def __init__(self, settings: RecommenderSettings) -> None:
        self._settings = settings
        self.items = Vocabulary()
        self.catalogue = Catalogue(self.items, settings.catalogue)
        self.index = NeighbourIndex(settings.neighbours, self.items)
        self.trending = Trending(settings.trending)
        self.meaning = Meaning(settings.semantic, settings.profile, self.items)
        self._lists: TrendingLists | None = None
        self._learned = 0
        self._learned_at_lists = 0

    def warm_up(self) -> None:
        """Compile everything, or load it from numba's cache, so that the first user does not wait for it."""
        self.index.warm_up()
        self.meaning.warm_up()
        Trending(self._settings.trending).update(np.zeros(1, np.int32), np.zeros(1), np.zeros(1))

    def learn(self, lessons: Lessons) -> None:
        """Take in what users did; a list asked for afterwards follows from it."""
        self.index.update(lessons.sessions, lessons.items, lessons.ts)
        self.trending.update(lessons.items, lessons.ts, lessons.weights)
        self._learned += len(lessons.items)

    def catalogue_changed(self) -> None:
        """Forget what was derived from the catalogue before."""
        self._lists = None

    def freshen(self) -> None:
        """Let the trending lists follow from all that was learned, however little of it is new."""
        if self._learned != self._learned_at_lists:
            self._lists = None

    def trending_lists(self) -> TrendingLists:
        """Trending items; computed anew once a hundredth of all interactions is new."""
        if self._lists is None or self._learned - self._learned_at_lists > self._learned_at_lists // 100:
            self._lists = self.trending.lists(self.catalogue, self.items.names, self._pool_size)
            self._learned_at_lists = self._learned
        return self._lists

    def tastes(self, profiles: Sequence[Profile]) -> NDArray[np.float32] | None:
        """Each user's taste, shape (users, dimension); None while meaning does not count."""
        return self.meaning.tastes(profiles) if self.meaning.is_used else None

    def recommend(self, askers: Sequence[Asker], tastes: NDArray[np.float32] | None = None) -> list[Ranking]:
        """One ranked list per asker, in their order. `tastes` are theirs, where they are at hand already."""
        size = self._settings.ranking.size
        excluded = [self._excluded(asker.profile) for asker in askers]
        queries = self._queries(askers, excluded)
        if tastes is None:
            tastes = self.tastes([asker.profile for asker in askers])
        if tastes is None:
            found = self._neighbours(queries, size)
        else:
            seen = [self.items.numbers(each.item_id for each in asker.profile.recent) for asker in askers]
            found = self._blend(queries, tastes, seen, size)
        return [
            rank(each, self._fallbacks(asker.profile), kept_out, size)
            for each, asker, kept_out in zip(found, askers, excluded, strict=True)
        ]

    def similar(self, item_id: str, k: int) -> Ranking:
        """The items most like this one: its neighbours, and what is near in meaning; empty when neither is known."""
        number = self.items.find(item_id)
        if number is None:
            return Ranking((), (), ())
        queries = Queries.build([([number], [number], NO_SESSION)])
        if not self.meaning.is_used:
            [found] = self._neighbours(queries, k)
        else:
            no_taste = np.zeros((1, self.meaning.vectors.dimension), np.float32)
            [found] = self._blend(queries, no_taste, [queries.items], k)
        return rank(found, (), (), k)

    @property
    def vector_model(self) -> str:
        """The model that made the item vectors; empty before the first."""
        return self.meaning.vectors.model

    def set_vectors(self, model: str, item_ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """These items now mean this; vectors have shape (n, dimension).

        Raises ValueError when they are another model's than those held (`forget_vectors` first), or unfit.
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
            self.index.copy(room), self.items.names.copy(), self.catalogue.snapshot(), self.trending.snapshot()
        )

    def restore(self, arrays: Arrays) -> None:
        """Take over the columns of a copy, into an empty recommender. Raises ValueError, before it changes anything."""
        self.check(arrays)
        self.trending.restore(part(arrays, "trending"))
        self.index.restore(part(arrays, "neighbours"))
        self.catalogue.restore(part(arrays, "catalogue"))
        self.catalogue_changed()

    @staticmethod
    def check(arrays: Arrays) -> None:
        """Raises ValueError when `restore` could not take the columns."""
        names = check_events(part(arrays, "neighbours"))
        Catalogue.check(part(arrays, "catalogue"))
        require(Trending.check(part(arrays, "trending")) <= names, "a popular item has no name")

    @property
    def _pool_size(self) -> int:
        # A user's exclusions must not empty the fallback: so many more than a list needs.
        settings = self._settings
        return settings.ranking.size + settings.ranking.exclude_recent + settings.profile.bought_items

    def _excluded(self, profile: Profile) -> set[str]:
        excluded = {seen.item_id for seen in profile.recent[: self._settings.ranking.exclude_recent]}
        excluded.update(seen.item_id for seen in profile.bought)
        return excluded

    def _queries(self, askers: Sequence[Asker], excluded: list[set[str]]) -> Queries:
        last = self._settings.neighbours.last_items
        number = self.items.number
        return Queries.build(
            [
                (
                    [number(seen.item_id) for seen in asker.profile.recent[:last]],
                    list(map(number, kept_out)),
                    asker.session,
                )
                for asker, kept_out in zip(askers, excluded, strict=True)
            ]
        )

    def _neighbours(self, queries: Queries, n: int) -> list[Candidates]:
        found, scores = self.index.predict_many(queries, self.catalogue.weight, n)
        names = self.items.names
        return [
            Candidates([(names[item], score) for item, score in zip(items, values, strict=True) if item >= 0])
            for items, values in zip(found.tolist(), scores.tolist(), strict=True)
        ]

    def _blend(
        self, queries: Queries, tastes: NDArray[np.float32], seen: Sequence[NDArray[np.int32]], size: int
    ) -> list[Candidates]:
        """Neighbours and what is near in meaning; what a user has seen is found by neighbours only."""
        chosen = self._settings.semantic
        neighbours, _ = self.index.predict_many(queries, self.catalogue.weight, max(size, chosen.candidates))
        late = self._cold()
        shelf = Shelf(self.catalogue.weight, late, self.index.name_keys())
        last = [queries.items[a:b].tolist() for a, b in pairwise(queries.starts.tolist())]
        excluded = [queries.excluded[a:b] for a, b in pairwise(queries.excluded_starts.tolist())]
        barred = Barred.of([np.concatenate(pair) for pair in zip(seen, excluded, strict=True)])
        near = self.meaning.find(self.meaning.wishes(last, tastes), barred, shelf, size)
        fused = fuse(neighbours, near, late, Balance(chosen.weight, chosen.rank_offset, chosen.cold_slots))
        return candidates(fused, self.items.names, size)

    def _cold(self) -> NDArray[np.bool_]:
        """Whether too few have seen an item for neighbours to lead to it, by item number."""
        fewest = self._settings.semantic.cold_sessions
        cold = np.full(len(self.items), fewest > 0)
        counted = self.index.sessions_by_item()[: len(cold)]
        np.less(counted, fewest, out=cold[: len(counted)])
        return cold

    def _fallbacks(self, profile: Profile) -> Iterator[tuple[str, tuple[Popular, ...]]]:
        lists = self.trending_lists()
        asked: set[int] = {NO_CATEGORY}
        for seen in profile.recent:
            number = self.items.find(seen.item_id)
            category = NO_CATEGORY if number is None else self.catalogue.category_of(number)
            if category not in asked:
                asked.add(category)
                yield "category", lists.by_category.get(category, ())
        yield "trending", lists.overall

"""What is learned from all users, and the lists that follow from it; worker, replay and evaluation all run this."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_CATEGORY, Catalogue
from models.events import Ranking
from models.neighbour_arrays import Index
from models.neighbour_copy import Room
from models.neighbour_snapshot import check_events, list_events
from models.neighbours import NeighbourIndex, NeighbourSettings, Queries
from models.profile import Profile, ProfileSettings
from models.ranking import RankingSettings, rank
from models.state import Arrays, nested, pack, part, require
from models.trending import Popular, Trending, TrendingLists, TrendingSettings
from models.vocabulary import Vocabulary

NO_SESSION = 0


@dataclass(frozen=True, slots=True)
class RecommenderSettings:
    """The settings of all that the recommender is made of."""

    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    trending: TrendingSettings = field(default_factory=TrendingSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)


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
        self.catalogue = Catalogue(self.items)
        self.index = NeighbourIndex(settings.neighbours, self.items)
        self.trending = Trending(settings.trending)
        self._lists: TrendingLists | None = None
        self._learned = 0
        self._learned_at_lists = 0

    def warm_up(self) -> None:
        """Compile everything, or load it from numba's cache, so that the first user does not wait for it."""
        self.index.warm_up()
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

    def recommend(self, askers: Sequence[Asker]) -> list[Ranking]:
        """One ranked list per asker, in their order."""
        size = self._settings.ranking.size
        excluded = [self._excluded(asker.profile) for asker in askers]
        found, scores = self.index.predict_many(self._queries(askers, excluded), self.catalogue.weight, size)
        names = self.items.names
        rankings = []
        for row, asker in enumerate(askers):
            candidates = [
                (names[item], score)
                for item, score in zip(found[row].tolist(), scores[row].tolist(), strict=True)
                if item >= 0
            ]
            rankings.append(rank(candidates, self._fallbacks(asker.profile), excluded[row], size))
        return rankings

    def copy(self, room: Room) -> RecommenderCopy:
        """The state as it is now, in memory that `index.room` got."""
        return RecommenderCopy(
            self.index.copy(room), self.items.names.copy(), self.catalogue.snapshot(), self.trending.snapshot()
        )

    def restore(self, arrays: Arrays) -> None:
        """Take over the columns of a copy, into an empty recommender. Raises ValueError, before it changes anything."""
        self.check(arrays)
        self.index.restore(part(arrays, "neighbours"))
        self.catalogue.restore(part(arrays, "catalogue"))
        self.trending.restore(part(arrays, "trending"))
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

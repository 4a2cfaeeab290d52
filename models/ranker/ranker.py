"""The learned ranker as a whole: predict what comes next, measure, then learn from it."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.items.facts import RATES
from models.ranker.arrays import (
    BY_CATEGORY,
    MOST,
    NEIGHBOURS,
    NO_ITEM,
    CandidateSources,
    FoundCandidates,
    Groups,
    Sessions,
    make_pool,
)
from models.ranker.candidates import find
from models.ranker.feature_kernel import Facts, compare_trends, describe, take_logs
from models.ranker.features import COUNT, FEATURE_TYPE, IS_LOG
from models.ranker.goods import Goods, SaidOfItems
from models.ranker.judge import FORMULA, RANKERS, RankerJudge, formula_ranks
from models.ranker.likeness import Likeness
from models.ranker.likeness_kernel import compare
from models.ranker.network import Lesson, StepSizes, make_learner
from models.ranker.network_kernel import learn_lists, rank_lists
from models.ranker.prefixes import requests_after
from models.ranker.relations import MOST as MOST_RELATED
from models.ranker.relations import TRAIL, ItemRelations, Prefixes
from models.ranker.settings import RankerSettings
from models.ranker.sharing import in_sample, make_shares, weigh
from models.ranker.shelf import Shelf, fill_shelf
from models.ranking.popularity import NOTHING_POPULAR, Popularity, popularity
from models.recommender import LearningBatch, Recommender
from models.users.arrays import Names
from models.users.gather import NO_SESSION, ListRequests

CHUNK = 256  # events that are predicted before they are learned
LISTS = 32  # lists whose features are held at once


class Ranker:
    """Learns beside a recommender, through which all events go; for one thread at a time.

    `goods` is what the shop says of items, unless `said` of a catalogue takes its place. `served`
    ranks lists: what learns, unless it is replaced. Equal events, goods and settings give an equal
    ranker.
    """

    def __init__(self, recommender: Recommender, settings: RankerSettings, said: SaidOfItems | None = None) -> None:
        self.recommender = recommender
        self._settings = settings
        self.goods = Goods()
        self._said: SaidOfItems = self.goods if said is None else said
        self.judge = RankerJudge(least=settings.least)
        self.has_stopped = False
        self.relations = ItemRelations(settings.half_life_days)
        self.learner = self.served = make_learner(COUNT, MOST, settings.seed)
        self._pace = StepSizes(settings.rate, settings.rate * settings.hidden_share, settings.running_scale)
        self._shares = make_shares()
        self._pool = make_pool(1024, MOST_RELATED)
        self._found, self._features = FoundCandidates.empty(LISTS), np.zeros(LISTS, FEATURE_TYPE)
        self._learned = 0
        self._refreshed_at = -1
        self._categories = self._brands = NOTHING_POPULAR
        self._likeness = Likeness(recommender.meaning.vectors)
        self._shelf = Shelf(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))

    @property
    def leader(self) -> str:
        """The ranker that predicted best so far; the formula once learning has stopped."""
        return FORMULA if self.has_stopped else self.judge.leader()

    def learn(
        self, events: LearningBatch, users: NDArray[np.uint64] | None = None, sample: float | None = None
    ) -> None:
        """Predict each event from what its session held before, then learn it, and let the
        recommender learn it.

        Events are in their order; `users` (n,) are hashes of who did them, their sessions if left
        out. `sample` takes the place of the settings' share of events; with 0, none is predicted.
        Learning to rank stops for good where a feature or a gradient is no finite number;
        `has_stopped` tells, and everything else goes on.
        """
        users = events.sessions if users is None else users
        share = self._settings.sample if sample is None else sample
        for part, rows in self.parts(events):
            before = self.follow(part)
            self.teach(part, users[rows], before, share)
            self.take_in(part, before)

    @staticmethod
    def parts(events: LearningBatch) -> Iterator[tuple[LearningBatch, slice]]:
        """Cut events into those that are predicted together, before any of them is learned."""
        for first in range(0, len(events.items), CHUNK):
            rows = slice(first, first + CHUNK)
            columns = (events.items[rows], events.sessions[rows], events.ts[rows], events.kinds[rows])
            yield LearningBatch(*columns), rows

    def follow(self, events: LearningBatch) -> Prefixes:
        """Note the events' sessions. Returns what each session held before its event."""
        return self.relations.follow(events.sessions, events.items)

    def teach(self, events: LearningBatch, users: NDArray[np.uint64], before: Prefixes, sample: float) -> int:
        """Predict a sample of events from what `follow` returned, and learn to rank from them.

        Returns how many there were.
        """
        chosen = in_sample(events.sessions, events.items, events.ts, sample)
        rows = np.flatnonzero((before.sizes > 0) & chosen)
        for start in range(0, len(rows), LISTS):
            if not self.has_stopped:
                these = rows[start : start + LISTS]
                self._learn_lists(events, users[these], before, these)
        return len(rows)

    def take_in(self, events: LearningBatch, before: Prefixes) -> None:
        """Let relations and the recommender learn events that were followed."""
        self.relations.learn(events.items, events.ts, before)
        self.recommender.learn(events)
        self._learned += len(events.items)

    def rank(self, seen: Sequence[NDArray[np.int32]], ranker: str, size: int, *, repeats: bool) -> NDArray[np.int32]:
        """Lists of items by a learned ranker, best first, shape (n, size), padded with NO_ITEM.

        `seen` are the items of each session, oldest first and never empty. With `repeats` the last
        one may be listed too. Raises ValueError for a ranker that does not learn.
        """
        lists = np.full((len(seen), size), NO_ITEM, np.int32)
        for start in range(0, len(seen), LISTS):
            part = seen[start : start + LISTS]
            before = Prefixes(np.zeros((len(part), TRAIL), np.int32), np.zeros(len(part), np.int32))
            for row, items in enumerate(part):
                kept = items[-TRAIL:]
                before.items[row, : len(kept)], before.sizes[row] = kept, len(kept)
            nobody = np.full(len(part), NO_SESSION, np.uint64)
            self.rank_after(before, nobody, ranker, lists[start : start + LISTS], repeats=repeats)
        return lists

    def rank_after(
        self, before: Prefixes, own: NDArray[np.uint64], ranker: str, lists: NDArray[np.int32], *, repeats: bool
    ) -> FoundCandidates:
        """Fill `lists` (n, size) for at most LISTS sessions with the hashes `own` (n,), of which no
        prefix is empty. Returns the candidates, in arrays that the next lists overwrite.

        Raises ValueError for a ranker that does not learn.
        """
        if ranker not in RANKERS[1:]:
            raise ValueError(f"{ranker!r} is no learned ranker: {', '.join(RANKERS[1:])}")
        count = len(own)
        sessions, requests = self._sessions(before, own)
        found, features = self._describe(sessions, self.relations.newest)
        hidden = np.full(count, NO_ITEM, np.int32) if repeats else requests.excluded
        lesson = Lesson(found.items, found.sizes, features, hidden, hidden, np.zeros(count, np.float32))
        kind = RANKERS.index(ranker) - 1
        rank_lists(self.served, lesson, self.recommender.catalogue.weight, kind, lists)
        return found

    def candidates(self, before: Prefixes, own: NDArray[np.uint64]) -> tuple[FoundCandidates, NDArray[np.float32]]:
        """Candidates for at most LISTS sessions as of now, and their features (n, COUNT, MOST), in
        arrays that the next lists overwrite.
        """
        sessions, _ = self._sessions(before, own)
        return self._describe(sessions, self.relations.newest)

    def _learn_lists(
        self, events: LearningBatch, users: NDArray[np.uint64], before: Prefixes, rows: NDArray[np.intp]
    ) -> None:
        before, targets = Prefixes(*(column[rows] for column in before)), events.items[rows]
        sessions, requests = self._sessions(before, events.sessions[rows])
        found, features = self._describe(sessions, float(events.ts[rows[-1]]))
        ranks = np.zeros((len(rows), len(RANKERS)), np.int32)
        weights = np.zeros(len(rows), np.float32)
        weigh(self._shares, users, self._settings.user_share, weights)
        ranks[:, 0] = self._formula_ranks(sessions, requests, targets)
        lesson = Lesson(found.items, found.sizes, features, targets, requests.excluded, weights)
        if not learn_lists(self.learner, self._pace, lesson, ranks):
            self.has_stopped = True
            return  # lists after the one that stopped it have no ranks, which is no miss
        counted = targets != requests.excluded
        self.judge.add(ranks[counted], weights[counted])

    def _formula_ranks(
        self, sessions: Sessions, requests: ListRequests, targets: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Where the formula's lists have the targets, from 1; 0 where they do not."""
        size = self.recommender.settings.ranking.size
        ranks, is_whole = formula_ranks(sessions.voted, requests.excluded, targets, size)
        # What neighbours find fills most lists; for the others, fallbacks and meaning count.
        if self.recommender.meaning.is_used or not is_whole.all():
            hit = self.recommender.by_formula(requests).items == targets[:, None]
            ranks = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0).astype(np.int32)
        return ranks

    def _sessions(self, before: Prefixes, own: NDArray[np.uint64]) -> tuple[Sessions, ListRequests]:
        """The sessions with what neighbours find for them, and requests for lists of them."""
        count = len(before.sizes)
        requests = requests_after(before, own)
        free = requests._replace(excluded=np.zeros(0, np.int32), excluded_starts=np.zeros(count + 1, np.int64))
        voted, votes = self.recommender.neighbours(free, NEIGHBOURS)
        return Sessions(before.items, before.sizes, voted, votes), requests

    def _describe(self, sessions: Sessions, now: float) -> tuple[FoundCandidates, NDArray[np.float32]]:
        """Candidates and features, (n, COUNT, MOST), in arrays that the next lists overwrite."""
        self._refresh()
        count, goods, relations = len(sessions.sizes), self._said, self.relations
        weight, facts = self.recommender.catalogue.weight, self.recommender.catalogue.facts
        found, features = self._found.first(count), self._features[:count]
        sources = CandidateSources(
            relations=relations.arrays,
            now=now,
            rate=relations.rate,
            categories=_groups(self._categories, goods.category, BY_CATEGORY),
            brands=_groups(self._brands, goods.brand, self._settings.by_brand),
            shelf=self._shelf,
            beside=self._settings.beside,
            like=self._likeness.look_up(_last_of(sessions))[:, : self._settings.like],
            weight=weight,
        )
        find(sources, sessions, self._pool, found)
        known = Facts(
            now=now,
            events=relations.arrays.events,
            repeats=relations.arrays.repeats,
            counts=facts.counts,
            counted_at=facts.counted_at,
            rates=RATES,
            category=goods.category,
            brand=goods.brand,
            price=goods.price,
            weight=weight,
        )
        describe(known, sessions, found, features)
        compare(self.recommender.meaning.vectors.rows, sessions, found, features)
        rows = features.view(np.float32).reshape(count, COUNT, MOST)
        take_logs(rows, found.sizes, IS_LOG)
        compare_trends(features, found.sizes)
        return found, rows

    def _refresh(self) -> None:
        """Make room for all items, and look again for what is popular once a hundredth is new."""
        recommender = self.recommender
        items = len(recommender.items)
        self.relations.with_items(items)
        if len(self._pool.place) < items:
            self._pool = make_pool(2 * items, MOST_RELATED)
        if self._refreshed_at >= 0 and self._learned - self._refreshed_at <= self._refreshed_at // 100:
            return
        self._refreshed_at = self._learned
        table, goods = recommender.index.names, self._said
        table.catch_up()
        names, pool = Names(table.text, table.starts), recommender.trending.pool(recommender.catalogue)
        self._categories = popularity(pool, goods.category, len(goods.categories), names, BY_CATEGORY)
        self._brands = popularity(pool, goods.brand, len(goods.brands), names, BY_CATEGORY)
        self._shelf = fill_shelf(goods, recommender.catalogue.weight)


def _groups(lists: Popularity, group: NDArray[np.int32], most: int) -> Groups:
    return Groups(lists.items, lists.starts, group, most)


def _last_of(sessions: Sessions) -> NDArray[np.int32]:
    """The last items of the sessions that are not empty."""
    held = np.flatnonzero(sessions.sizes)
    return sessions.items[held, sessions.sizes[held] - 1]

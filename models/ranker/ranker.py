"""The learned ranker as a whole: predict what comes next, measure, then learn from it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.items.facts import RATES
from models.ranker.candidates import (
    BY_BRAND,
    BY_CATEGORY,
    MOST,
    NEIGHBOURS,
    NO_ITEM,
    RECENT,
    Found,
    Sessions,
    Sources,
    find,
    make_pool,
    recent_of,
)
from models.ranker.feature_kernel import Facts, describe
from models.ranker.features import COUNT
from models.ranker.goods import Goods
from models.ranker.judge import FORMULA, RANKERS, Judge
from models.ranker.learning import Lesson, learn_lists, rank_lists
from models.ranker.network import make_network, make_scale, make_sums, make_work
from models.ranker.relations import MOST as MOST_RELATED
from models.ranker.relations import TRAIL, ItemRelations, Prefixes
from models.ranker.shelf import Shelf, fill_shelf
from models.ranking.popularity import NOTHING_POPULAR, popularity
from models.recommender import LearningBatch, Recommender
from models.users.arrays import Names
from models.users.gather import NO_SESSION, ListRequests

CHUNK = 256  # events that are predicted before they are learned
LISTS = 64  # lists whose features are held at once
FREE_EVENTS = 50  # events of one session that count in full; later ones count ever less


class Ranker:
    """Learns beside a recommender, through which all events go; for one thread at a time.

    `goods` is what the shop says of items. Equal events, goods and seed give an equal ranker.
    """

    def __init__(self, recommender: Recommender, seed: int = 0) -> None:
        self._recommender = recommender
        self.goods = Goods()
        self.judge = Judge()
        self.has_stopped = False
        self._relations = ItemRelations()
        self._scale = make_scale(COUNT)
        self._network = make_network(COUNT, seed)
        self._sums = make_sums(self._network)
        self._work = make_work(MOST, COUNT)
        self._pool = make_pool(1024, MOST_RELATED)
        self._learned = 0
        self._refreshed_at = -1
        self._popular = self._branded = NOTHING_POPULAR
        self._shelf = Shelf(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))

    @property
    def leader(self) -> str:
        """The ranker that predicted best so far; the formula once learning has stopped."""
        return FORMULA if self.has_stopped else self.judge.leader()

    def learn(self, events: LearningBatch) -> None:
        """Predict each event from what its session held before, then learn it, and let the
        recommender learn it.

        Events are in their order. Learning to rank stops for good where a gradient is no number;
        `has_stopped` tells, and everything else goes on.
        """
        for first in range(0, len(events.items), CHUNK):
            to = first + CHUNK
            part = LearningBatch(
                events.items[first:to], events.sessions[first:to], events.ts[first:to], events.kinds[first:to]
            )
            before = self._relations.follow(part.sessions, part.items)
            rows = np.flatnonzero(before.sizes > 0)
            for start in range(0, len(rows), LISTS):
                if not self.has_stopped:
                    self._learn_lists(part, before, rows[start : start + LISTS])
            self._relations.learn(part.items, part.ts, before)
            self._recommender.learn(part)
            self._learned += len(part.items)

    def rank(self, seen: Sequence[NDArray[np.int32]], ranker: str, size: int, *, repeats: bool) -> NDArray[np.int32]:
        """Lists of items by a learned ranker, best first, shape (n, size), padded with NO_ITEM.

        `seen` are the items of each session, oldest first and never empty. With `repeats` the last
        one may be listed too. Raises ValueError for a ranker that does not learn.
        """
        if ranker not in RANKERS[1:]:
            raise ValueError(f"{ranker!r} is no learned ranker: {', '.join(RANKERS[1:])}")
        count = len(seen)
        before = Prefixes(np.zeros((count, TRAIL), np.int32), np.zeros(count, np.int32), np.zeros(count, np.int32))
        for row, items in enumerate(seen):
            kept = items[-TRAIL:]
            before.items[row, : len(kept)], before.sizes[row], before.events[row] = kept, len(kept), len(items)
        sessions, requests = self._sessions(before, np.full(count, NO_SESSION, np.uint64))
        found, features = self._describe(sessions, self._relations.newest)
        hidden = np.full(count, NO_ITEM, np.int32) if repeats else requests.excluded
        lesson = Lesson(found.items, found.sizes, features, hidden, hidden, np.zeros(count))
        lists = np.full((count, size), NO_ITEM, np.int32)
        weight = self._recommender.catalogue.weight
        rank_lists(self._network, self._scale, self._work, lesson, weight, RANKERS.index(ranker) - 1, lists)
        return lists

    def _learn_lists(self, events: LearningBatch, before: Prefixes, rows: NDArray[np.intp]) -> None:
        before, targets = Prefixes(*(column[rows] for column in before)), events.items[rows]
        sessions, requests = self._sessions(before, events.sessions[rows])
        found, features = self._describe(sessions, float(events.ts[rows[-1]]))
        ranks = np.zeros((len(rows), len(RANKERS)), np.int32)
        hit = self._recommender.recommend(requests).items == targets[:, None]
        ranks[:, 0] = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0)
        weights = FREE_EVENTS / np.maximum(before.events, FREE_EVENTS)
        lesson = Lesson(found.items, found.sizes, features, targets, requests.excluded, weights)
        if not learn_lists(self._network, self._sums, self._scale, self._work, lesson, ranks):
            self.has_stopped = True
        self.judge.add(ranks[targets != requests.excluded])

    def _sessions(self, before: Prefixes, own: NDArray[np.uint64]) -> tuple[Sessions, ListRequests]:
        """The sessions with what neighbours find for them, and requests for lists of them."""
        count = len(before.sizes)
        recent = np.full((count, RECENT), NO_ITEM, np.int32)
        recent_of(before.items, before.sizes, recent)
        is_item = recent != NO_ITEM
        starts = np.concatenate([[0], np.cumsum(is_item.sum(axis=1))]).astype(np.int64)
        items = recent[is_item]
        no_times, no_kinds = np.zeros(len(items)), np.zeros(len(items), np.int32)
        looked_at = np.arange(count + 1, dtype=np.int64)
        requests = ListRequests(items, no_times, no_kinds, starts, recent[:, 0].copy(), looked_at, own)
        free = requests._replace(excluded=np.zeros(0, np.int32), excluded_starts=np.zeros(count + 1, np.int64))
        voted, votes = self._recommender.neighbours(free, NEIGHBOURS)
        return Sessions(before.items, before.sizes, voted, votes), requests

    def _describe(self, sessions: Sessions, now: float) -> tuple[Found, NDArray[np.float32]]:
        self._refresh()
        catalogue, goods, relations = self._recommender.catalogue, self.goods, self._relations
        weight, facts = catalogue.weight, catalogue.facts
        found = Found.empty(len(sessions.sizes))
        sources = Sources(
            relations=relations.arrays,
            now=now,
            rate=relations.rate,
            popular=self._popular.items,
            starts=self._popular.starts,
            group=goods.category,
            branded=self._branded.items,
            brand_starts=self._branded.starts,
            brand=goods.brand,
            shelf=self._shelf,
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
        features = np.zeros((len(sessions.sizes), MOST, COUNT), np.float32)
        describe(known, sessions, found, features)
        return found, features

    def _refresh(self) -> None:
        """Make room for all items, and look again for what is popular once a hundredth is new."""
        recommender = self._recommender
        items = len(recommender.items)
        self._relations.with_items(items)
        if len(self._pool.place) < items:
            self._pool = make_pool(2 * items, MOST_RELATED)
        if self._refreshed_at >= 0 and self._learned - self._refreshed_at <= self._refreshed_at // 100:
            return
        self._refreshed_at = self._learned
        table, goods = recommender.index.names, self.goods
        table.catch_up()
        names, pool = Names(table.text, table.starts), recommender.trending.pool(recommender.catalogue)
        self._popular = popularity(pool, goods.category, len(goods.categories), names, BY_CATEGORY)
        self._branded = popularity(pool, goods.brand, len(goods.brands), names, BY_BRAND)
        self._shelf = fill_shelf(goods, recommender.catalogue.weight)

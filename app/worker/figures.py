"""Publishes live figures every second, and the trending lists when they changed."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.list_metrics import RankerMetrics
from agents.metrics import HIDDEN_CAUSES, Metrics, total
from agents.ports import Clock
from agents.totals import sums_by, totals_by, values_by
from app.health import Health
from app.store.board import RECENT_USERS, Board
from app.store.store import STORE_ERRORS
from app.store.users import RedisUsers
from models.recommender import Recommender
from models.trending import Popular, TrendingLists
from models.users.table import UserTable

INTERVAL_SECONDS = 1.0
WINDOW = 10  # intervals over which rate and freshness are measured
# Trending lists are recomputed every interval, or less often if that takes more than this share of
# the time.
TRENDING_SHARE = 0.02

logger = logging.getLogger(__name__)


class _Mark(NamedTuple):
    """The counters at one moment."""

    at: float
    accepted: int
    freshness: NDArray[np.int64]


@dataclass(slots=True)
class Figures:
    """Publishes one worker's figures.

    Every write replaces a whole key, so a lost write does no harm.
    """

    worker_id: str
    board: Board
    metrics: Metrics
    health: Health
    recommender: Recommender
    users: RedisUsers
    table: UserTable
    lag: Callable[[], Mapping[tuple[str, int], int]]
    publishes_trending: Callable[[], bool]
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _marks: deque[_Mark] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _published: TrendingLists | None = None
    _trending_due: float = 0.0

    async def run(self) -> None:
        """Publish every second until cancelled. While Redis is away, nothing is published."""
        for cause in HIDDEN_CAUSES:
            self.metrics.items_hidden.labels(cause).set_function(partial(self._hidden, cause))
        while True:
            self.refresh_gauges()
            try:
                await self._publish()
            except STORE_ERRORS as error:
                logger.debug("figures not published: %s", error)
            await self.sleep(INTERVAL_SECONDS)

    def _hidden(self, cause: str) -> float:
        """Count when it is asked for, so that the figure is exact and costs nothing in between."""
        return float(getattr(self.recommender.catalogue.count_hidden(), cause))

    def republish(self) -> None:
        """Publish the trending lists again, although unchanged, because Redis lost them."""
        self._published = None

    async def _publish(self) -> None:
        now = self.clock()
        await self.board.figures(self.worker_id, self._take(now), now)
        written = self.users.take_written(RECENT_USERS)
        if written:
            await self.board.recent_users(written, now)
        await self._publish_trending()

    async def _publish_trending(self) -> None:
        started = perf_counter()
        if started >= self._trending_due:
            self.recommender.freshen()
        lists = self.recommender.trending_lists()
        # Every worker knows the same trending lists, so only one of them writes them.
        if lists is not self._published and self.publishes_trending():
            known_only = not self.recommender.catalogue.lists_unknown
            await self.board.trending(*self._named(lists), known_only=known_only)
            self._published = lists
        if started >= self._trending_due:
            ended = perf_counter()
            self._trending_due = ended + (ended - started) / TRENDING_SHARE

    def _named(self, lists: TrendingLists) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        categories = self.recommender.catalogue.categories.names
        before = self._published.by_category if self._published else {}
        # A category whose last item went away gets an empty list, which deletes its key.
        numbers = before.keys() | lists.by_category.keys()
        by_category = {categories[number]: _shares(lists.by_category.get(number, ())) for number in numbers}
        return _shares(lists.overall), by_category

    def refresh_gauges(self) -> None:
        """Set the gauges to the present values."""
        self.metrics.lag.clear()  # forget partitions that moved to another worker
        for (topic, partition), lag in self.lag().items():
            self.metrics.lag.labels(topic, partition).set(lag)
        self.metrics.users.set(len(self.table))
        self.metrics.items_known.set(len(self.recommender.items))
        self.metrics.trending_half_life.set(self.recommender.trending.half_life_seconds)
        self.metrics.ready.set(self.health.ready)

    def _take(self, now: float) -> dict[str, object]:
        metrics = self.metrics
        accepted = total(metrics.events, outcome="accepted")
        mark = self._marks[0] if self._marks else _Mark(now, accepted, metrics.freshness.counts)
        self._marks.append(_Mark(now, accepted, metrics.freshness.counts))
        elapsed = now - mark.at
        by_partition, by_topic = self.lag(), Counter[str]()
        for (topic, _), behind in by_partition.items():
            by_topic[topic] += behind
        return {
            "worker_id": self.worker_id,
            "ts": now,
            "accepted": accepted,
            "duplicates": total(metrics.events, outcome="duplicate"),
            "cancellations": totals_by(metrics.cancellations, "outcome"),
            "foreign_key": total(metrics.foreign_key),
            "quarantined": total(metrics.events, outcome="quarantined"),
            "items_quarantined": total(metrics.rejected, kind="item"),
            "recommendations": total(metrics.recommendations),
            "events_per_second": round((accepted - mark.accepted) / elapsed, 1) if elapsed > 0 else 0.0,
            "freshness_p50": metrics.freshness.quantile(0.5, mark.freshness),
            "freshness_p99": metrics.freshness.quantile(0.99, mark.freshness),
            "lag": sum(by_partition.values()),
            "kinds": totals_by(metrics.events, "kind", outcome="accepted"),
            "reasons": totals_by(metrics.rejected, "reason"),
            "lag_by_topic": dict(by_topic),
            "unknown_items": total(metrics.unknown_items),
            "listed": totals_by(metrics.listed, "source"),
            "scored": totals_by(metrics.quality.scored, "kind"),
            "hits": totals_by(metrics.quality.hits, "kind"),
            "hits_by_source": totals_by(metrics.quality.hits, "source"),
            "reciprocals": {
                kind: round(each, 3) for kind, each in sums_by(metrics.quality.reciprocals, "kind").items()
            },
            "ranker": _ranker(metrics.ranker),
            "ready": self.health.ready,
        }


def _shares(popular: tuple[Popular, ...]) -> dict[str, float]:
    return {each.item_id: -each.minus_share for each in popular}


def _ranker(ranker: RankerMetrics) -> dict[str, object]:
    hit_rate, mrr, leads = (values_by(gauge, "ranker") for gauge in (ranker.hit_rate, ranker.mrr, ranker.leads))
    return {
        "leads": max(leads, key=lambda name: leads[name]),
        "version": int(values_by(ranker.version)[""]),
        "pinned": bool(values_by(ranker.pinned)[""]),
        "learned_lists": int(values_by(ranker.learned)[""]),
        "hit_rate": {name: round(value, 4) for name, value in hit_rate.items()},
        "mrr": {name: round(value, 4) for name, value in mrr.items()},
    }

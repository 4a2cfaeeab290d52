"""Learning to rank beside the events, in a bounded share of the time, and following what was
learned.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from agents.list_metrics import RankerMetrics
from agents.ports import Outbox
from models.contract.events import RawBatch
from models.ranker.judge import FORMULA, RANKERS
from models.ranker.live import LiveRanker
from models.ranker.ranker import Ranker
from models.ranker.relations import Prefixes
from models.ranker.weights import KEY, PINNED, ROLLED_BACK, RankerWeights, decode_weights, kept_key
from models.recommender import LearningBatch

BURST_SECONDS = 0.02  # learning holds up events for about this long at most
FIRST_COST_SECONDS = 0.002  # of a list, before any was timed
# What a list is taken to cost at least and at most: one slow list must not end learning for long.
LEAST_COST_SECONDS, MOST_COST_SECONDS = 1e-6, 0.005
PACE = 0.2  # of the mean of a list's cost
LOOK_SECONDS = 1.0
PUBLISH_SECONDS = 5.0
NEVER = -1  # lists that were learned when weights were last published

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Rank:
    """Lets a worker's ranker learn and follow the topic `ranker`.

    Every worker learns how items relate. The one for which `trains` holds also learns weights, from
    a sample of the events so large that it takes `share` of the time, and publishes them; it goes
    on from what another one published before. `trainer` names this process, and `timer` tells
    seconds.
    """

    live: LiveRanker
    share: float
    metrics: RankerMetrics
    outbox: Outbox
    trains: Callable[[], bool]
    trainer: str
    timer: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _cost: float = FIRST_COST_SECONDS
    _budget: float = 0.0
    _counted_at: float | None = None
    _published: int = 0
    _published_at: float | None = None
    _told: bool = False

    def learn(self, events: LearningBatch, user_ids: Sequence[str]) -> None:
        """Learn events in their order; `user_ids` (n,) did them."""
        ranker, trains = self.live.ranker, self.trains() and not self.live.ranker.has_stopped
        users = _hashed(user_ids) if trains else events.sessions
        for part, rows in Ranker.parts(events):
            before = ranker.follow(part)
            if trains:
                self._teach(part, users[rows], before)
            ranker.take_in(part, before)

    def handle(self, batch: RawBatch) -> None:
        """Rank by the newest weights of a batch of `ranker`, or by those that are pinned; learn on
        from those of another worker, or from those that others were rolled back to.

        Passes over what is unfit, so that the formula, or the weights of before, go on.
        """
        found = {key: self._newest(batch, key) for key in (ROLLED_BACK, KEY)}
        back, weights = found[ROLLED_BACK], found[KEY]
        if back is not None and self.live.generation < back.record.generation:
            self._take(back)
            self._published = NEVER  # whoever learns publishes again, over what it may have sent meanwhile
        if weights is not None and not self.live.is_out_of_date(weights.record):
            self._take(weights)
        if PINNED in batch.keys:
            self._pin(batch)
        self._tell()

    def _newest(self, batch: RawBatch, wanted: bytes) -> RankerWeights | None:
        for key, value in reversed(list(zip(batch.keys, batch.values, strict=True))):
            if key == wanted and value is not None:
                try:
                    return decode_weights(value)
                except ValueError as error:
                    logger.warning("a record of the topic %s is passed over: %s", batch.topic, error)
        return None

    def _pin(self, batch: RawBatch) -> None:
        is_pinned = [value is not None for key, value in zip(batch.keys, batch.values, strict=True) if key == PINNED]
        weights = self._newest(batch, PINNED) if is_pinned[-1] else None
        if weights is not None or not is_pinned[-1]:
            self.live.pin(weights)

    async def run(self) -> None:
        """Publish what is learned, every few seconds while something new is, until cancelled."""
        while True:
            await self.sleep(LOOK_SECONDS)
            if self.trains() and self._is_due():
                await self.publish()

    async def publish(self) -> None:
        """Publish what is learned now; all workers rank by it once they have read it."""
        self._published, self._published_at = self.live.lists_learned, self.timer()
        version, value = self.live.next_version, self.live.publish(self.trainer)
        await self.outbox.ranker({KEY: value, kept_key(version): value})

    def _is_due(self) -> bool:
        is_new = self.live.lists_learned > self._published
        since = self._published_at
        return is_new and (since is None or self.timer() - since >= PUBLISH_SECONDS)

    def _teach(self, part: LearningBatch, users: NDArray[np.uint64], before: Prefixes) -> None:
        started = self.timer()
        waited = 0.0 if self._counted_at is None else started - self._counted_at
        self._budget, self._counted_at = min(BURST_SECONDS, self._budget + self.share * waited), started
        sample = min(1.0, max(self._budget, 0.0) / (self._cost * len(part.items)))
        if sample <= 0.0:
            return
        lists = self.live.teach(part, users, before, sample)
        spent = self.timer() - started
        self._budget -= spent
        if lists:
            mean = self._cost + PACE * (spent / lists - self._cost)
            self._cost = min(max(mean, LEAST_COST_SECONDS), MOST_COST_SECONDS)
        self.metrics.lists.inc(lists)
        self.metrics.seconds.inc(spent)
        if self.live.ranker.has_stopped and not self._told:
            self._told = True
            self.metrics.stopped.set(1)
            logger.error(
                "the ranker met a number that is none and stopped learning; the formula ranks until this worker is "
                "started again"
            )
            self._published = NEVER  # tell the others

    def _take(self, weights: RankerWeights) -> None:
        record = weights.record
        if record.trainer != self.trainer:
            self.live.go_on_from(weights)
            self._published = record.lists
        self.live.serve(weights)
        self.metrics.learned.set(record.lists)
        for name in RANKERS:
            figures = record.figures.get(name, {})
            self.metrics.hit_rate.labels(name).set(figures.get("hit_rate@20", 0.0))
            self.metrics.mrr.labels(name).set(figures.get("mrr@20", 0.0))
            if name != FORMULA:
                self.metrics.loss.labels(name).set(figures.get("loss", math.nan))

    def _tell(self) -> None:
        served = self.live.served
        self.metrics.version.set(served.version if served is not None else 0)
        self.metrics.pinned.set(float(self.live.pinned is not None))
        for name in RANKERS:
            self.metrics.leads.labels(name).set(float(self.live.leader == name))


def _hashed(user_ids: Sequence[str]) -> NDArray[np.uint64]:
    return np.fromiter((xxhash.xxh3_64_intdigest(user.encode()) for user in user_ids), np.uint64, len(user_ids))

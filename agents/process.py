"""Events in, lists out: the agent of `views`, `clicks` and `orders`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, replace

from agents.learn import Learn
from agents.metrics import Metrics
from agents.ports import Clock, Outbox, Replicas, Sources, UserStore
from models.contract.event_codec import EventSettings
from models.contract.events import Kind, RawBatch
from models.contract.lists import encode_recommendation
from models.duplicates import DuplicateFilter
from models.processor import Admitted, Effects, admit, decide, follow, hash_session
from models.profile import ProfileSettings
from models.recommender import Recommender
from models.shown import Holder, Shown


@dataclass(frozen=True, slots=True)
class Process:
    """Decides what a batch leads to, then writes Redis, then emits; the transport commits after that.

    `turn` is held by whoever takes profiles and writes lists, so that no older list overwrites a newer one.
    A crash at any point leads to a replay of the batch, which changes nothing that was written already.
    """

    kinds: Mapping[str, Kind]
    events: EventSettings
    profile: ProfileSettings
    seen: DuplicateFilter
    recommender: Recommender
    learn: Learn
    shown: Shown
    replicas: Replicas
    sources: Sources
    users: UserStore
    outbox: Outbox
    metrics: Metrics
    clock: Clock
    turn: asyncio.Lock

    async def run(self, stream: AsyncIterable[RawBatch]) -> None:
        """Handle one batch after the other."""
        async for batch in stream:
            await self.handle(batch)

    async def handle(self, batch: RawBatch) -> None:
        """Process one batch; when this returns, all its effects are stored."""
        await self.replicas.caught_up()
        async with self.turn:
            await self._handle(replace(batch, log=await self.sources.log_of(batch)))

    async def _handle(self, batch: RawBatch) -> None:
        with self.metrics.timed("admit"):
            admitted = admit(batch, self.kinds[batch.topic], self.seen, self.events)
        with self.metrics.timed("load"):
            profiles = await self.users.load(admitted.users)
        with self.metrics.timed("decide"):
            followed = follow(admitted, profiles)
            self.learn.learn_own(batch.partition, followed)
            effects = decide(followed, profiles, self.recommender, self.profile, self.clock())
            lists = {each.user_id: encode_recommendation(each) for each in effects.recommendations}
        with self.metrics.timed("write"):
            await self.users.write(effects.profiles, lists)
            for each, trace in zip(effects.recommendations, followed.traces.values(), strict=True):
                holder = Holder(each.user_id, batch.partition, hash_session(trace.session_id))
                self.shown.put(holder, each.ranking.item_ids)
        self.metrics.freshness.observe(self.clock() - effects.times)
        with self.metrics.timed("emit"):
            await self._emit(batch.partition, effects, lists)
        self._count(batch, admitted, effects)
        self._count_unknown(admitted)

    async def _emit(self, partition: int, effects: Effects, lists: Mapping[str, bytes]) -> None:
        await asyncio.gather(
            self.outbox.interactions(partition, effects.interaction_keys, effects.interactions),
            self.outbox.recommendations(partition, lists),
            self.outbox.quarantine(effects.rejected),
        )

    def _count(self, batch: RawBatch, admitted: Admitted, effects: Effects) -> None:
        kind = admitted.interactions.kind.label
        self.metrics.batch_size.labels("process").observe(len(batch))
        self.metrics.events.labels(kind, "accepted").inc(effects.accepted)
        self.metrics.events.labels(kind, "duplicate").inc(effects.duplicates)
        self.metrics.events.labels(kind, "quarantined").inc(len(effects.rejected))
        for reason, count in Counter(each.reason for each in effects.rejected).items():
            self.metrics.rejected.labels(kind, reason).inc(count)
        self.metrics.unknown_fields.inc(effects.unknown_fields)
        self.metrics.recommendations.inc(len(effects.recommendations))

    def _count_unknown(self, admitted: Admitted) -> None:
        item_ids = admitted.interactions.item_ids
        numbers = self.recommender.items.numbers(item_ids[row] for row in admitted.rows)
        self.metrics.unknown_items.inc(self.recommender.catalogue.count_unknown(numbers))

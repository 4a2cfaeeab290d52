"""Events in, lists out: the agent of `views`, `clicks` and `orders`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agents.learn import Learn
from agents.metrics import Metrics
from agents.ports import Clock, Outbox, Replicas, Sources, UserStore, WriteOutcome
from agents.turns import take_turns
from agents.unfinished import Unfinished
from agents.users import load_users, reload_users
from models.contract.event_codec import EventSettings
from models.contract.events import Kind, RawBatch
from models.contract.moved import by_origin
from models.contract.outcome import Rejected
from models.contract.placement import Placement
from models.duplicates import DuplicateFilter
from models.processor import Admitted, Effects, Followed, ListMaker, admit, decide_in_steps, follow
from models.redo import only_users, put_back
from models.shown import Shown

UNKNOWN = "unknown"  # the kind of a record of `moved` that does not say where it is from


@dataclass(frozen=True, slots=True)
class Process:
    """Decides what a batch leads to, then writes Redis, then emits; the transport commits after
    that.

    `write_lock` is held by whoever takes profiles and writes lists, so that no older list
    overwrites a newer one. A crash at any point leads to a replay of the batch, which changes
    nothing that was written already. The store refuses to write a user whom another write reached
    first; that user is then loaded, and the user's events are applied, again.
    """

    kinds: Mapping[str, Kind]
    events: EventSettings
    placement: Placement
    seen: DuplicateFilter
    maker: ListMaker
    learn: Learn
    shown: Shown
    replicas: Replicas
    sources: Sources
    unfinished: Unfinished
    users: UserStore
    outbox: Outbox
    metrics: Metrics
    clock: Clock
    write_lock: asyncio.Lock

    async def run(self, stream: AsyncIterable[RawBatch]) -> None:
        """Handle one batch after the other."""
        async for batch in stream:
            await self.handle(batch)

    async def handle(self, batch: RawBatch) -> None:
        """Process one batch; when this returns, all its effects are stored."""
        await self.replicas.caught_up()
        async with self.write_lock:
            learned = partial(self.learn.log_of, batch.topic, batch.partition)
            batch = replace(batch, log=await self.sources.log_of(batch, learned))
            await self.unfinished.begin(batch)
            parts, strangers = by_origin(batch, self.kinds)
            for part in parts:
                await self._handle(part)
            if strangers:
                await self._quarantine(strangers)
            self.unfinished.finish(batch)

    async def _handle(self, batch: RawBatch) -> None:
        with self.metrics.timed("admit"):
            admitted = admit(batch, self.kinds[batch.topic], self.seen, self.events, self.placement)
        with self.metrics.timed("load"):
            slots = await load_users(self.maker.table, self.users, admitted.users)
        try:
            effects = await self._decide_and_write(batch.home, admitted, slots)
        except BaseException:
            # The table holds what was decided, and nobody knows what was stored of it.
            self.maker.table.discard(slots)
            raise
        self.metrics.freshness.observe(self.clock() - admitted.interactions.times)
        with self.metrics.timed("emit"):
            await self._emit(batch.home, admitted, effects)
        self._count(batch, admitted)

    async def _decide_and_write(self, partition: int, admitted: Admitted, slots: NDArray[np.int32]) -> Effects:
        followed, effects, refused = await self._try(partition, admitted, slots)
        self.metrics.unknown_items.inc(self.maker.recommender.catalogue.count_unknown(followed.items))
        while refused:
            self.metrics.refused_writes.labels("profile").inc(len(refused))
            part, again = only_users(admitted, refused), slots[refused]
            await reload_users(self.maker.table, self.users, part.users, again)
            _, redone, still = await self._try(partition, part, again)
            effects = put_back(effects, admitted, refused, redone)
            refused = [refused[row] for row in still]
        return effects

    async def _try(
        self, partition: int, admitted: Admitted, slots: NDArray[np.int32]
    ) -> tuple[Followed, Effects, list[int]]:
        """Decide and write; gives the rows of the users whose writes were refused, too."""
        with self.metrics.timed("decide"):
            followed = follow(admitted, self.maker.table, slots)
            self.learn.learn_own(partition, followed)
            effects = await take_turns(decide_in_steps(followed, self.maker, self.clock()))
        with self.metrics.timed("write"):
            written = await self.users.write(effects.writes)
            self.shown.put(admitted.users, partition, followed.own, effects.lists.items)
        return followed, effects, [row for row, each in enumerate(written) if each is WriteOutcome.REFUSED]

    async def _emit(self, partition: int, admitted: Admitted, effects: Effects) -> None:
        lists = dict(zip(effects.writes.user_ids, effects.writes.lists, strict=True))
        await asyncio.gather(
            self.outbox.interactions(partition, effects.interaction_keys, effects.interactions),
            self.outbox.recommendations(partition, lists),
            self.outbox.quarantine(admitted.rejected),
            self.outbox.move(admitted.elsewhere.moved),
        )

    async def _quarantine(self, strangers: Sequence[Rejected]) -> None:
        await self.outbox.quarantine(strangers)
        for each in strangers:
            self.metrics.rejected.labels(UNKNOWN, each.reason).inc()

    def _count(self, batch: RawBatch, admitted: Admitted) -> None:
        kind = admitted.interactions.kind.label
        self.metrics.batch_size.labels("process").observe(len(batch))
        self.metrics.events.labels(kind, "accepted").inc(len(admitted.interactions))
        self.metrics.events.labels(kind, "duplicate").inc(admitted.duplicates)
        self.metrics.events.labels(kind, "quarantined").inc(len(admitted.rejected))
        for reason, count in Counter(each.reason for each in admitted.rejected).items():
            self.metrics.rejected.labels(kind, reason).inc(count)
        elsewhere = admitted.elsewhere
        counts = {"in_place": elsewhere.in_place, "moved": len(elsewhere.moved), "refused": len(elsewhere.refused)}
        for outcome, count in counts.items():
            self.metrics.foreign_key.labels(kind, outcome).inc(count)
        self.metrics.unknown_fields.inc(admitted.unknown_fields)
        self.metrics.recommendations.inc(len(admitted.users))

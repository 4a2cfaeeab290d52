"""Events in, lists out: the agent of `views`, `clicks`, `carts` and `orders`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agents.learn import Learn
from agents.metrics import Metrics
from agents.ports import Clock, Handed, Outbox, Replicas, Sources, UserStore, WriteOutcome
from agents.turns import take_turns
from agents.unfinished import Unfinished
from agents.users import load_users, reload_users
from models.contract.cancelled import COUNTED
from models.contract.event_codec import EventSettings
from models.contract.events import Kind, RawBatch
from models.contract.moved import by_origin
from models.contract.outcome import Rejected
from models.contract.placement import Placement
from models.duplicates import DuplicateFilter
from models.plausibility.judge import Plausibility
from models.processor import Admitted, Effects, Followed, ListMaker, admit, decide_in_steps, follow
from models.redo import only_users, put_back
from models.shown import Shown

UNKNOWN = "unknown"  # the kind of a record of `moved` that does not say where it is from


@dataclass(frozen=True, slots=True)
class Emission:
    """What is stored of some batches, and not yet in Kafka.

    `parts` are the batches by the source of their events; `strangers` are records without one.
    """

    batches: Sequence[RawBatch]
    parts: Sequence[RawBatch]
    admitted: Sequence[Admitted]
    effects: Effects
    strangers: Sequence[Rejected]


@dataclass(frozen=True, slots=True)
class Process:
    """Decides what batches lead to, then writes Redis, then emits; the transport commits after
    that.

    Batches that wait are handled together, with one round trip for all. While they are emitted, the
    next ones are decided on and written. `write_lock` is held by whoever takes profiles and writes
    lists, so that no older list overwrites a newer one; `emit_lock` by whoever emits them, in the
    same order. A crash at any point leads to a replay of the batches, which changes nothing that
    was written already. The store refuses to write a user whom another write reached first; that
    user is then loaded, and the user's events are applied, again.
    """

    kinds: Mapping[str, Kind]
    events: EventSettings
    placement: Placement
    seen: DuplicateFilter
    plausibility: Plausibility
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
    holds: Callable[[RawBatch], bool]
    write_lock: asyncio.Lock
    emit_lock: asyncio.Lock

    async def run(self, stream: AsyncIterable[Handed]) -> None:
        """Handle what is handed over, in its order. Raises the first error of storing or
        emitting.
        """
        try:
            async with asyncio.TaskGroup() as emitting:
                async for handed in stream:
                    emission = await self.store(handed.batches)
                    emitting.create_task(self._finish(emission, handed))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def store(self, batches: Sequence[RawBatch]) -> Emission:
        """Decide on batches and write what they lead to; it is still to be emitted, and `emit_lock`
        is held until then.
        """
        await self.replicas.caught_up()
        while True:
            async with self.write_lock:
                # What was taken away meanwhile is read again by its owner, and not committed here.
                held, now = [each for each in batches if self.holds(each)], self.clock()
                begun = [replace(batch, log=await self._log_of(batch)).dated(now) for batch in held]
                if await self.unfinished.begin(begun, now):
                    return await self._store(begun)
            self.metrics.refused_writes.labels("batch").inc(len(held))
            await self.unfinished.wait_in_doubt()

    async def _store(self, begun: Sequence[RawBatch]) -> Emission:
        found = [by_origin(batch, self.kinds) for batch in begun]
        parts = [part for parts, _ in found for part in parts]
        strangers = [each for _, strangers in found for each in strangers]
        with self.metrics.timed("admit"):
            admitted = [self._admit(part) for part in parts]
        effects = await self._decide_and_write(admitted)
        for each in admitted:
            self.metrics.freshness.observe(self.clock() - each.interactions.times)
        await self.emit_lock.acquire()
        return Emission(begun, parts, admitted, effects, strangers)

    async def emit(self, emission: Emission) -> None:
        """Emit what was stored. When this returns, all effects of its batches are where they
        belong.
        """
        try:
            with self.metrics.timed("emit"):
                await self._emit(emission)
        finally:
            self.emit_lock.release()
        for batch in emission.batches:
            self.unfinished.finish(batch)
        for part, admitted in zip(emission.parts, emission.admitted, strict=True):
            self._count(part, admitted)
        for each in emission.strangers:
            self.metrics.rejected.labels(UNKNOWN, each.reason).inc()
        self.metrics.count_lists(emission.effects.lists.items, emission.effects.lists.sources)

    async def _finish(self, emission: Emission, handed: Handed) -> None:
        await self.emit(emission)
        handed.finish()

    async def _log_of(self, batch: RawBatch) -> str:
        return await self.sources.log_of(batch, partial(self.learn.log_of, batch.topic, batch.partition))

    def _admit(self, part: RawBatch) -> Admitted:
        return admit(part, self.kinds[part.topic], self.seen, self.events, self.placement, self.plausibility)

    async def _decide_and_write(self, admitted: Sequence[Admitted]) -> Effects:
        users = list(dict.fromkeys(user for each in admitted for user in each.users))
        with self.metrics.timed("load"):
            slots = await load_users(self.maker.table, self.users, users)
        slot_of = dict(zip(users, slots.tolist(), strict=True))
        for each in admitted:
            self._score(each)
        try:
            parts, effects, refused = await self._try(admitted, slot_of)
            while refused:
                self.metrics.refused_writes.labels("profile").inc(len(refused))
                await reload_users(self.maker.table, self.users, refused, _slots(refused, slot_of))
                _, redone, refused = await self._try([only_users(each, refused) for each in admitted], slot_of)
                effects = put_back(effects, admitted, redone)
        except BaseException:
            # The table holds what was decided, and nobody knows what was stored of it.
            self.maker.table.discard(slots)
            raise
        for part in parts:
            if part.outcomes is not None:
                for name, outcome in COUNTED.items():
                    self.metrics.cancellations.labels(name).inc(part.outcomes.count(outcome))
            self.metrics.unknown_items.inc(self.maker.recommender.catalogue.count_unknown(part.items))
        return effects

    def _score(self, admitted: Admitted) -> None:
        """Score the lists that the batch's users have until now."""
        found, user_of = admitted.interactions, admitted.user_of
        if (cancelling := found.cancelling) is not None:  # nobody cancels an order because of a list
            found, user_of = found.only(~cancelling), user_of[~cancelling]
        items = self.maker.recommender.items.numbers(found.item_ids)
        taken = found.kind in (Kind.CART, Kind.ORDER)
        self.metrics.count_scores(found.kind.label, self.shown.score(admitted.users, user_of, items, taken=taken))

    async def _try(
        self, admitted: Sequence[Admitted], slot_of: Mapping[str, int]
    ) -> tuple[list[Followed], Effects, list[str]]:
        """Decide and write; gives the users whose writes were refused, too."""
        with self.metrics.timed("decide"):
            parts = [follow(each, self.maker.table, _slots(each.users, slot_of)) for each in admitted]
            self.learn.learn_own(parts)
            effects = await take_turns(decide_in_steps(parts, self.maker, self.clock()))
        users = effects.writes.user_ids
        with self.metrics.timed("write"):
            written = await self.users.write(effects.writes)
            self.shown.put(users, effects.homes, effects.own, effects.lists.items, effects.lists.sources)
        return parts, effects, [user for user, each in zip(users, written, strict=True) if each is WriteOutcome.REFUSED]

    async def _emit(self, emission: Emission) -> None:
        keys: dict[int, list[str]] = {}
        values: dict[int, list[bytes]] = {}
        for admitted, encoded in zip(emission.admitted, emission.effects.interactions, strict=True):
            keys.setdefault(admitted.home, []).extend(admitted.interactions.user_ids)
            values.setdefault(admitted.home, []).extend(encoded)
        lists: dict[int, dict[str, bytes]] = {}
        writes = emission.effects.writes
        for home, user, made in zip(emission.effects.homes.tolist(), writes.user_ids, writes.lists, strict=True):
            lists.setdefault(home, {})[user] = made
        rejected = [each for admitted in emission.admitted for each in admitted.rejected]
        await asyncio.gather(
            *(self.outbox.interactions(home, keys[home], values[home]) for home in keys),
            *(self.outbox.recommendations(home, of_home) for home, of_home in lists.items()),
            self.outbox.quarantine([*rejected, *emission.strangers]),
            self.outbox.move([each for admitted in emission.admitted for each in admitted.elsewhere.moved]),
        )

    def _count(self, batch: RawBatch, admitted: Admitted) -> None:
        kind = admitted.interactions.kind.label
        self.metrics.batch_size.labels("process").observe(len(batch))
        self.metrics.events.labels(kind, "accepted").inc(len(admitted.interactions))
        self.metrics.events.labels(kind, "duplicate").inc(admitted.duplicates)
        self.metrics.events.labels(kind, "quarantined").inc(len(admitted.rejected))
        for reason, count in Counter(each.reason for each in admitted.rejected).items():
            self.metrics.rejected.labels(kind, reason).inc(count)
        for rule in (each.rule for done in admitted.interactions.repairs.values() for each in done):
            self.metrics.repairs.labels(rule).inc()
        for (reason, outcome), count in admitted.doubts.items():
            self.metrics.doubtful.labels(kind, reason, outcome).inc(count)
        elsewhere = admitted.elsewhere
        counts = {"in_place": elsewhere.in_place, "moved": len(elsewhere.moved), "refused": len(elsewhere.refused)}
        for outcome, count in counts.items():
            self.metrics.foreign_key.labels(kind, outcome).inc(count)
        self.metrics.unknown_fields.inc(admitted.unknown_fields)
        for name, count in admitted.coerced.items():
            self.metrics.coerced.labels(name).inc(count)


def _slots(users: Iterable[str], slot_of: Mapping[str, int]) -> NDArray[np.int32]:
    return np.array([slot_of[user] for user in users], np.int32)

"""Notes each batch in the store before it changes a profile, so that a worker that takes over a
partition knows the event ids of batches that were stored and perhaps not emitted.

A worker that is killed between Redis and Kafka leaves events in profiles that `interactions` lacks.
They are read again, but perhaps behind events of another topic that have the same id. So each batch
is noted in the store before it changes a profile, and who takes over its partition remembers the
ids of the noted batches first, at their own positions and in their order. The first of several
events with one id thus is the first in `interactions` or, behind those, the first in the batches
that were begun.

Who takes a partition over claims it, after the group said that it is this worker's. A worker that
was paused, and does not know yet that it lost the partition, can finish the batches that it began,
and begins no other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents.ports import BegunBatches, EventLog
from models.contract.begun import Begun, Claim
from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind, RawBatch
from models.contract.misplaced import sort_out
from models.contract.moved import by_origin
from models.contract.placement import Placement
from models.duplicates import DuplicateFilter

DOUBT_SECONDS = 1.0  # between two questions whether a partition is still this worker's


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The batches of each partition number that were begun and are not known to be emitted.

    `topics` are those that are read in batches: the sources, which `kinds` has, and `moved`.
    `applied` is, per partition of `interactions` and source, the highest offset that is known to be
    emitted. `owns` asks the group whether a batch's partition is this worker's.
    """

    kinds: Mapping[str, Kind]
    topics: Collection[str]
    placement: Placement
    events: EventSettings
    seen: DuplicateFilter
    applied: Mapping[tuple[int, str], int]
    store: BegunBatches
    log: EventLog
    owns: Callable[[RawBatch], Awaitable[bool]]
    new_claim: Callable[[], str]
    doubt_seconds: float = DOUBT_SECONDS
    _open: dict[int, list[Begun]] = field(default_factory=dict)
    _claims: dict[int, str] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget all noted batches, because another worker may have had the partitions."""
        self._open.clear()

    async def begin(self, batches: Sequence[RawBatch], now: float) -> bool:
        """Note batches before they change anything; `interactions` must be learned as far as it
        went. `now` in seconds.

        False if the group does not say that all of them are this worker's: none may be processed.
        """
        while await self._claim(batches, now):
            noted = self._with(batches)
            claims = {partition: Claim(self._claims[partition], self.new_claim()) for partition in noted}
            refused = await self.store.write(noted, claims)
            self._claims.update((partition, claim.now) for partition, claim in claims.items())
            for partition in refused:
                self._open.pop(partition, None)
            if not refused:
                return True
        return False

    async def wait_in_doubt(self) -> None:
        """Wait before `begin` is tried again: the group takes the partitions away, or says that
        they are still this worker's.
        """
        await asyncio.sleep(self.doubt_seconds)

    def finish(self, batch: RawBatch) -> None:
        """Drop the note of this batch and of earlier ones of its topic: everything is emitted."""
        last = int(batch.offsets[-1])
        others = self._open.get(batch.partition, [])
        others[:] = [each for each in others if each.topic != batch.topic or each.last > last]

    async def _claim(self, batches: Sequence[RawBatch], now: float) -> bool:
        # `forget` may come while this waits; then a partition is claimed once more.
        while missing := next((each for each in batches if each.partition not in self._open), None):
            if not await self._take_over(missing, now):
                return False
        return True

    async def _take_over(self, batch: RawBatch, now: float) -> bool:
        partition = batch.partition
        before = await self.store.claim(partition)
        # Asked after that, so that whoever gets the partition later makes another claim than this
        # one expects, and wins, however late this one arrives.
        if not await self.owns(batch):
            return False
        claim = Claim(before, self.new_claim())
        left = await self.store.take_over(partition, claim)
        if left is not None:
            named = [each for each in left if each.topic in self.topics]
            known = [each for each in named if await self._remember(partition, each, now)]
            self._claims[partition], self._open[partition] = claim.now, known
        return True

    def _with(self, batches: Sequence[RawBatch]) -> dict[int, list[Begun]]:
        for batch in batches:
            begun = Begun.of(batch)
            if begun not in self._open[batch.partition]:
                self._open[batch.partition].append(begun)
        return {batch.partition: list(self._open[batch.partition]) for batch in batches}

    async def _remember(self, partition: int, begun: Begun, now: float) -> bool:
        """Remember the ids of a batch that may not be emitted; False when it is, or when its log is
        gone.
        """
        source = RawBatch.source_of(begun.topic, partition, begun.log)
        first = max(begun.first, self.applied.get((partition, source), -1) + 1)
        if first > begun.last:
            return False
        batch = await self.log.read(begun.topic, partition, first, begun.last)
        if not begun.ends(batch):
            return False
        for part in by_origin(replace(batch, log=begun.log).dated(now), self.kinds)[0]:
            found, _ = sort_out(part, decode(part, self.kinds[part.topic], self.events).accepted, self.placement)
            self.seen.remember(found.source, found.offsets, found.times, found.ts, found.identities)
        return True

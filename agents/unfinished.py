"""Notes each batch in the store before it changes a profile, so that a worker that takes over a
partition knows the event ids of batches that were stored and perhaps not emitted.

A worker that is killed between Redis and Kafka leaves events in profiles that `interactions` lacks.
They are read again, but perhaps behind events of another topic that have the same id. So each batch
is noted in the store before it changes a profile, and who takes over its partition remembers the
ids of the noted batches first, at their own positions and in their order. The first of several
events with one id thus is the first in `interactions` or, behind those, the first in the batches
that were begun.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents.ports import BegunBatches, EventLog
from models.contract.begun import Begun
from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind, RawBatch
from models.contract.misplaced import sort_out
from models.contract.moved import by_origin
from models.contract.placement import Placement
from models.duplicates import DuplicateFilter


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The batches of each partition number that were begun and are not known to be emitted.

    `topics` are those that are read in batches: the sources, which `kinds` has, and `moved`.
    `applied` is, per partition of `interactions` and source, the highest offset that is known to be
    emitted.
    """

    kinds: Mapping[str, Kind]
    topics: Collection[str]
    placement: Placement
    events: EventSettings
    seen: DuplicateFilter
    applied: Mapping[tuple[int, str], int]
    store: BegunBatches
    log: EventLog
    _open: dict[int, list[Begun]] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget all noted batches, because another worker may have had the partitions."""
        self._open.clear()

    async def begin(self, batches: Sequence[RawBatch], now: float) -> None:
        """Note batches before they change anything; `interactions` must be learned as far as it
        went. `now` in seconds.
        """
        for batch in batches:
            partition = batch.partition
            if partition not in self._open:
                self._open[partition] = await self._take_over(partition, now)
            begun = Begun.of(batch)
            if begun not in self._open[partition]:
                self._open[partition].append(begun)
        await self.store.write({batch.partition: list(self._open[batch.partition]) for batch in batches})

    def finish(self, batch: RawBatch) -> None:
        """Drop the note of this batch and of earlier ones of its topic: everything is emitted."""
        last = int(batch.offsets[-1])
        others = self._open.get(batch.partition, [])
        others[:] = [each for each in others if each.topic != batch.topic or each.last > last]

    async def _take_over(self, partition: int, now: float) -> list[Begun]:
        left = await self.store.load(partition)
        return [each for each in left if each.topic in self.topics and await self._remember(partition, each, now)]

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

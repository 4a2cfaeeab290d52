"""Brings the catalogue back into a store that lost it, such as a Redis that was emptied or started without its data.

What is committed is never read again, so nothing else would write it. The store therefore keeps a mark for each
partition of `items`: the offset up to which it has everything. It is lost with the rest, or goes back with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.assess import Assess
from agents.ports import CatalogueLog, CatalogueMarks, ItemStore
from models.contract.event_codec import EventSettings
from models.contract.item_codec import changes_of, decode_items

CHECK_SECONDS = 2.0


class ReadSpan(NamedTuple):
    """Where this worker began to read a partition, and up to where it is done with it."""

    start: int
    position: int


class StoredMark(NamedTuple):
    """Up to `offset` the store has everything, unless somebody is at it and it is not `whole` yet."""

    offset: int
    whole: bool

    @classmethod
    def parse(cls, text: str) -> "StoredMark":
        """The mark as it is stored; nothing at all, or what somebody else wrote, says that all may be missing."""
        offset, _, claim = text.partition(" ")
        return cls(int(offset), not claim) if offset.isascii() and offset.isdigit() else cls(0, False)


@dataclass(frozen=True, slots=True)
class Restore:
    """Looks for marks that are missing or too old, and stores again what stands behind them in the log.

    Meanwhile the agent of `items` goes on. What comes while the log is read is read too, in a last stretch during which
    that agent stores nothing, as it takes the same `turn`: of two versions of an item the newer is the last that is
    written. Whoever restores puts a claim into the mark first, so that a store that is emptied meanwhile, or another
    worker that takes over, is noticed. `lost` is awaited with the partition and the first offset that is missing;
    `restored` is told the partition, the number of records, and the items assessed anew.
    """

    events: EventSettings
    marks: CatalogueMarks
    log: CatalogueLog
    items: ItemStore
    spans: Callable[[], Mapping[int, ReadSpan]]
    claim: Callable[[], str]
    lost: Callable[[int, int], Awaitable[None]]
    restored: Callable[[int, int, list[str]], None]
    assess: Assess | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _believed: dict[int, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Partitions were assigned anew: what their marks should say begins with where they are read from."""
        self._believed.clear()

    async def run(self) -> None:
        """Look for ever, with pauses; ends by being cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_SECONDS)

    async def before(self, partition: int) -> None:
        """Before items are written: a partition of which nothing is read yet gets a mark, or it would look lost."""
        span = self.spans().get(partition)
        if partition not in self._believed and span is not None and span.position == 0:
            await self._move(partition, "", 0)

    async def after(self, partition: int, position: int) -> None:
        """All before `position` is stored, and about to be committed: the mark of a worker that ends now is not old."""
        believed = self._believed.get(partition)
        if believed is not None and believed < position:
            await self._move(partition, str(believed), position)

    async def check(self) -> None:
        """Move the marks of this worker's partitions on; restore those whose marks say that something is missing."""
        partitions = sorted(self.spans())
        for partition, text in zip(partitions, await self.marks.load(partitions), strict=True):
            span = self.spans().get(partition)
            if span is not None:
                await self._check(partition, span, text)

    async def _check(self, partition: int, span: ReadSpan, text: str) -> None:
        believed = self._believed.get(partition, span.start)
        mark = StoredMark.parse(text)
        if not text and span.position == 0 and partition not in self._believed:
            await self._move(partition, text, 0)
        elif not mark.whole or mark.offset < believed:
            await self._restore(partition, mark.offset, text)
        elif span.position > mark.offset:
            await self._move(partition, text, span.position)
        else:
            self._believed[partition] = mark.offset

    async def _move(self, partition: int, text: str, offset: int) -> None:
        if await self.marks.swap(partition, text, str(offset)):
            self._believed[partition] = offset

    async def _restore(self, partition: int, offset: int, text: str) -> None:
        claim = f"{offset} {self.claim()}"
        if not await self.marks.swap(partition, text, claim):
            return
        await self.lost(partition, offset)
        if self.assess is not None:
            async with aclosing(self.log.vectors(partition)) as batches:
                async for batch in batches:
                    await self.assess.remember(batch)
        span = self.spans().get(partition)
        reached, most = await self._write_items(partition, offset)
        async with self.turn:
            reached, rest = await self._write_items(partition, reached)
        if span is None or partition not in self.spans():
            return  # another worker may write by now: it finds the claim, and begins anew
        reached = max(reached, self._believed.get(partition, 0), span.start)  # compaction may have shortened the log
        item_ids = [] if self.assess is None else await self.assess.restore(partition)
        await self._move(partition, claim, reached)
        self.restored(partition, most + rest, item_ids)

    async def _write_items(self, partition: int, offset: int) -> tuple[int, int]:
        """Up to where, and how many records, of what stands in the log now from this offset on."""
        reached, count = offset, 0
        async with aclosing(self.log.items(partition, offset)) as batches:
            async for batch in batches:
                await self.items.write(changes_of(decode_items(batch, self.events)))
                reached, count = max(reached, int(batch.offsets[-1]) + 1), count + len(batch)
        return reached, count

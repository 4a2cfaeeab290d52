"""Restores the catalogue in a store that lost it, such as a Redis that was emptied.

Committed records are never read again, so nothing else would write them. The store therefore keeps
a mark for each partition of `items`: the offset up to which it has everything. A store that loses
its data loses the marks too, and a store that goes back to an older copy has the older marks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.assess import Assess
from agents.keep_title import KeepTitle
from agents.ports import CatalogueLog, CatalogueMarks, ItemStore
from models.contract.event_codec import EventSettings
from models.contract.item_codec import decode_items

CHECK_SECONDS = 2.0


class ReadSpan(NamedTuple):
    """The offset at which this worker began to read a partition, and the offset that it reads
    next.
    """

    start: int
    position: int


class StoredMark(NamedTuple):
    """The offset up to which the store has everything. `whole` is False while a restore is
    running.
    """

    offset: int
    whole: bool

    @classmethod
    def parse(cls, text: str) -> "StoredMark":
        """Parse a stored mark. A missing mark, or text of another form, means that all may be
        missing.
        """
        offset, _, claim = text.partition(" ")
        return cls(int(offset), not claim) if offset.isascii() and offset.isdigit() else cls(0, False)


@dataclass(frozen=True, slots=True)
class Restore:
    """Finds marks that are missing or too old, and stores again the records behind them in the log.

    The agent of `items` goes on meanwhile. A restore reads the log twice: first most of it, then,
    holding `lock`, the records that were added during the first reading. The agent writes under the
    same lock, so the newer of two versions of an item is always written last.

    A restore first puts its claim into the mark. If the claim is gone at the end, the store was
    emptied meanwhile or another worker took over. `lost` is awaited with the partition and the
    first missing offset; `restored` is called with the partition, the number of records, and the
    ids of the items whose vectors were stored again.
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
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _believed: dict[int, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget the marks: after a rebalance, each partition's mark is compared with where reading
        began.
        """
        self._believed.clear()

    async def run(self) -> None:
        """Check all marks every 2 s, until cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_SECONDS)

    async def mark_start(self, partition: int) -> None:
        """Give a partition of which nothing is read yet its first mark; without one it would look
        lost.
        """
        span = self.spans().get(partition)
        if partition not in self._believed and span is not None and span.position == 0:
            await self._move(partition, "", 0)

    async def mark_stored(self, partition: int, offset: int) -> None:
        """Move the mark of a partition: every record before `offset` is stored, and is committed
        next.

        This comes before the commit, so that a worker that ends now does not leave a mark that is
        too old.
        """
        believed = self._believed.get(partition)
        if believed is not None and believed < offset:
            await self._move(partition, str(believed), offset)

    async def check(self) -> None:
        """Move the marks of this worker's partitions; restore partitions whose marks show that data
        is missing.
        """
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
        reached, most = await self._write_items(partition, offset, self.lock)
        async with self.lock:
            reached, rest = await self._write_items(partition, reached, nullcontext())
        if span is None or partition not in self.spans():
            return  # another worker may write by now: it finds the claim, and restores from the beginning
        reached = max(reached, self._believed.get(partition, 0), span.start)  # compaction may have shortened the log
        item_ids = [] if self.assess is None else await self.assess.restore(partition)
        await self._move(partition, claim, reached)
        self.restored(partition, most + rest, item_ids)

    async def _write_items(
        self, partition: int, offset: int, lock: AbstractAsyncContextManager[None]
    ) -> tuple[int, int]:
        """Store the records of the log from this offset on, each batch under the lock. Returns the
        next offset and the number of records.
        """
        reached, count = offset, 0
        async with aclosing(self.log.items(partition, offset)) as batches:
            async for batch in batches:
                async with lock:
                    await KeepTitle(self.items, self.assess).write(batch, decode_items(batch, self.events))
                reached, count = max(reached, int(batch.offsets[-1]) + 1), count + len(batch)
        return reached, count

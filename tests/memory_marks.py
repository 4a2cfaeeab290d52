"""What a restore of the catalogue reads, in memory: the store's marks and the log."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from models.contract.events import RawBatch


@dataclass
class MemoryMarks:
    """The `CatalogueMarks` port in memory."""

    marks: dict[int, str] = field(default_factory=dict)

    async def load(self, partitions: Sequence[int]) -> list[str]:
        return [self.marks.get(partition, "") for partition in partitions]

    async def swap(self, partition: int, old: str, new: str) -> bool:
        if self.marks.get(partition, "") != old:
            return False
        self.marks[partition] = new
        return True


@dataclass
class MemoryCatalogueLog:
    """The `CatalogueLog` port in memory: as it is when the reader begins; `between` is called
    before each batch.
    """

    items_log: dict[int, list[RawBatch]] = field(default_factory=dict)
    vectors_log: dict[int, list[RawBatch]] = field(default_factory=dict)
    read_from: list[tuple[int, int]] = field(default_factory=list)
    between: Callable[[], None] = lambda: None

    async def items(self, partition: int, start: int) -> AsyncGenerator[RawBatch, None]:
        self.read_from.append((partition, start))
        for batch in list(self.items_log.get(partition, ())):
            if batch.offsets[-1] >= start:
                await asyncio.sleep(0)
                self.between()
                yield batch

    async def vectors(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        for batch in self.vectors_log.get(partition, ()):
            yield batch

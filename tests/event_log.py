"""The batches of events that a worker was given, and which of them it began, in memory behind the
ports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.contract.begun import Begun
from models.contract.events import RawBatch


@dataclass
class MemoryBegun:
    """The `BegunBatches` port in memory."""

    noted: dict[int, list[Begun]] = field(default_factory=dict)

    async def load(self, partition: int) -> list[Begun]:
        return list(self.noted.get(partition, ()))

    async def write(self, begun: Mapping[int, Sequence[Begun]]) -> None:
        self.noted |= {partition: list(noted) for partition, noted in begun.items()}


@dataclass
class MemoryEventLog:
    """The `EventLog` port in memory, made of batches that a worker was given."""

    batches: list[RawBatch] = field(default_factory=list)

    async def read(self, topic: str, partition: int, first: int, last: int) -> RawBatch:
        found = {
            int(batch.offsets[row]): (batch, row)
            for batch in self.batches
            if (batch.topic, batch.partition) == (topic, partition)
            for row in range(len(batch))
            if first <= batch.offsets[row] <= last
        }
        rows = [found[offset] for offset in sorted(found)]
        return RawBatch(
            topic,
            partition,
            np.array(sorted(found), np.int64),
            np.array([batch.times[row] for batch, row in rows]),
            [batch.keys[row] for batch, row in rows],
            [batch.values[row] for batch, row in rows],
            headers=[batch.headers[row] if batch.headers else () for batch, row in rows],
        )

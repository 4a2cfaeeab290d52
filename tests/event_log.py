"""The batches of events that a worker was given, and which of them it began, in memory behind the
ports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.contract.begun import Begun, Claim
from models.contract.events import RawBatch


@dataclass
class MemoryBegun:
    """The `BegunBatches` port in memory."""

    noted: dict[int, list[Begun]] = field(default_factory=dict)
    claims: dict[int, str] = field(default_factory=dict)

    async def claim(self, partition: int) -> str:
        return self.claims.get(partition, "")

    async def take_over(self, partition: int, claim: Claim) -> list[Begun] | None:
        return list(self.noted.get(partition, ())) if self._claims(partition, claim) else None

    async def write(self, begun: Mapping[int, Sequence[Begun]], claims: Mapping[int, Claim]) -> set[int]:
        refused = {each for each in begun if not self._claims(each, claims[each])}
        self.noted |= {partition: list(noted) for partition, noted in begun.items() if partition not in refused}
        return refused

    def _claims(self, partition: int, claim: Claim) -> bool:
        if self.claims.get(partition, "") not in claim:
            return False
        self.claims[partition] = claim.now
        return True


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

"""Which batches of events were begun, noted in Redis before their profiles: both are lost
together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from models.contract.begun import Begun, decode_begun, encode_begun


@dataclass(frozen=True, slots=True)
class RedisBegun:
    """The `BegunBatches` port on Redis: one string per partition number."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def load(self, partition: int) -> list[Begun]:
        """Those of the sources' partitions with this number, in their order. Raises ValueError for
        another's value.
        """
        [found] = await self.retry(lambda: execute(self.redis, [("GET", self.keys.begun(partition))]))
        return decode_begun(found)

    async def write(self, begun: Mapping[int, Sequence[Begun]]) -> None:
        """Replace those of these partition numbers; returns when they are noted."""
        commands: list[Command] = [
            ("SET", self.keys.begun(partition), encode_begun(noted)) for partition, noted in begun.items()
        ]
        await self.retry(lambda: execute(self.redis, commands))

"""Which batches of events were begun, noted in Redis before their profiles: both are lost
together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import PackedRedis
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

    async def write(self, partition: int, begun: Sequence[Begun]) -> None:
        """Replace them; returns when they are noted."""
        encoded = encode_begun(begun)
        await self.retry(lambda: execute(self.redis, [("SET", self.keys.begun(partition), encoded)]))

"""Up to where Redis has the catalogue, remembered in Redis: what says so is lost together with what
it speaks of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis

SWAP = """
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class RedisMarks:
    """The `CatalogueMarks` port on Redis: one string per partition of `topic`."""

    redis: PackedRedis
    keys: Keys
    retry: Retry
    topic: str

    async def load(self, partitions: Sequence[int]) -> list[str]:
        """The marks of these partitions, in their order; empty where there is none."""
        commands: list[Command] = [("GET", self._key(partition)) for partition in partitions]
        found = await self.retry(lambda: execute(self.redis, commands))
        return [(each or b"").decode(errors="replace") for each in found]

    async def swap(self, partition: int, old: str, new: str) -> bool:
        """Replace the mark `old` (empty for none). Returns False, without effect, for another."""
        commands: list[Command] = [("EVAL", SWAP, 1, self._key(partition), old, new)]
        [swapped] = await self.retry(lambda: execute(self.redis, commands))
        return bool(swapped)

    def _key(self, partition: int) -> str:
        return self.keys.catalogue(f"{self.topic}-{partition}")

"""Where the log of each source partition began when it was seen last, so that a restart notices
another log.
"""

from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import PackedRedis


@dataclass(frozen=True, slots=True)
class RedisStarts:
    """Offset and time, in milliseconds since 1970, of each partition's first record: one string a
    partition.
    """

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def load(self, topic: str, partition: int) -> tuple[int, int] | None:
        """What was saved; None for nothing, and for what another program wrote."""
        key = self.keys.start(f"{topic}-{partition}")
        [found] = await self.retry(lambda: execute(self.redis, [("GET", key)]))
        offset, _, time = (found or b"").partition(b" ")
        return (int(offset), int(time)) if offset.isdigit() and time.isdigit() else None

    async def save(self, topic: str, partition: int, start: tuple[int, int]) -> None:
        """Remember where the partition begins."""
        key = self.keys.start(f"{topic}-{partition}")
        await self.retry(lambda: execute(self.redis, [("SET", key, "{} {}".format(*start))]))

"""Which batches of events were begun, noted in Redis before their profiles: both are lost
together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.scripts import Script
from models.contract.begun import Begun, Claim, decode_begun, encode_begun

# A claim whose own name is stored already was made: this is the repetition of a call whose answer
# did not come.
_CLAIM = """
local stored = redis.call('GET', KEYS[1]) or ''
if stored ~= ARGV[1] and stored ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
"""
TAKE_OVER = Script(f"{_CLAIM}return {{redis.call('GET', KEYS[2])}}", keys=2)
# A Redis that lost its data knows no claim; whoever writes then has to make one.
WRITE = Script(f"{_CLAIM}redis.call('SET', KEYS[2], ARGV[3])\nreturn 1", keys=2)


@dataclass(frozen=True, slots=True)
class RedisBegun:
    """The `BegunBatches` port on Redis: a string per partition number, and one with the claim."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def claim(self, partition: int) -> str:
        """The newest claim; empty if there is none. Raises ValueError for another's value."""
        [found] = await self.retry(lambda: execute(self.redis, [("GET", self.keys.claim(partition))]))
        # A text that differs from the stored bytes could never be replaced.
        return "" if found is None else str(found, "utf-8")

    async def take_over(self, partition: int, claim: Claim) -> list[Begun] | None:
        """Those of the sources' partitions with this number, in their order, for who makes this
        claim; None if another one was made since. Raises ValueError for another's value.
        """
        call = TAKE_OVER.call(*self._keys(partition), *claim)
        [found] = await self.retry(lambda: TAKE_OVER.run(self.redis, [call]))
        return decode_begun(found[0]) if found else None

    async def write(self, begun: Mapping[int, Sequence[Begun]], claims: Mapping[int, Claim]) -> set[int]:
        """Replace those of these partition numbers. Returns the numbers that have another claim, or
        none.
        """
        calls = [
            WRITE.call(*self._keys(partition), *claims[partition], encode_begun(noted))
            for partition, noted in begun.items()
        ]
        replies = await self.retry(lambda: WRITE.run(self.redis, calls))
        return {partition for partition, written in zip(begun, replies, strict=True) if not written}

    def _keys(self, partition: int) -> tuple[str, str]:
        return self.keys.claim(partition), self.keys.begun(partition)

"""Which batches of events were begun, noted in Redis before their profiles: both are lost
together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.scripts import Script
from models.contract.begun import Begun, decode_begun, encode_begun

TAKE_OVER = Script(
    """
redis.call('SET', KEYS[1], ARGV[1])
return redis.call('GET', KEYS[2])
""",
    keys=2,
)
# A Redis that lost its data knows no claim.
WRITE = Script(
    """
local claim = redis.call('GET', KEYS[1])
if claim and claim ~= ARGV[1] then return 0 end
if not claim then redis.call('SET', KEYS[1], ARGV[1]) end
redis.call('SET', KEYS[2], ARGV[2])
return 1
""",
    keys=2,
)


@dataclass(frozen=True, slots=True)
class RedisBegun:
    """The `BegunBatches` port on Redis: a string per partition number, and one with the claim."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def take_over(self, partition: int, claim: str) -> list[Begun]:
        """Those of the sources' partitions with this number, in their order, for who makes this
        claim. Raises ValueError for another's value.
        """
        call = TAKE_OVER.call(*self._keys(partition), claim)
        [found] = await self.retry(lambda: TAKE_OVER.run(self.redis, [call]))
        return decode_begun(found)

    async def write(self, begun: Mapping[int, Sequence[Begun]], claims: Mapping[int, str]) -> set[int]:
        """Replace those of these partition numbers. Returns the numbers for which another claim was
        made since.
        """
        calls = [
            WRITE.call(*self._keys(partition), claims[partition], encode_begun(noted))
            for partition, noted in begun.items()
        ]
        replies = await self.retry(lambda: WRITE.run(self.redis, calls))
        return {partition for partition, written in zip(begun, replies, strict=True) if not written}

    def _keys(self, partition: int) -> tuple[str, str]:
        return self.keys.claim(partition), self.keys.begun(partition)

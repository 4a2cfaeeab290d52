"""What is like each item, in Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script

# KEYS: the list, the item. ARGV: the list, empty for none, and when it began to be made. The field
# that says so is the item's, as the list is JSON for everybody. A write of the same moment was
# carried out already.
WRITE = Script(
    """
local item = redis.call('HMGET', KEYS[2], 'deleted', 'similar_at')
if item[1] == '1' or (tonumber(item[2] or '') or 0) >= tonumber(ARGV[2]) then return 0 end
if ARGV[1] == '' then
  redis.call('DEL', KEYS[1])
  if redis.call('EXISTS', KEYS[2]) == 0 then return 1 end
else
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('HSET', KEYS[2], 'similar_at', ARGV[2])
return 1
""",
    keys=2,
)
# With a key, so that all workers ask the same node of a cluster.
MOMENT = Script("return redis.call('TIME')", keys=1)
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class RedisSimilar:
    """The `SimilarStore` port on Redis: one string per item."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def moment(self) -> int:
        """The time of Redis in microseconds since 1970, for `write`."""
        calls = [MOMENT.call(self.keys.formats())]
        [(seconds, microseconds)] = await self.retry(lambda: MOMENT.run(self.redis, calls))
        return int(seconds) * MICROSECONDS + int(microseconds)

    async def write(self, lists: Mapping[str, bytes | None], moment: int) -> None:
        """Replace the lists of these items, but for those that were made later; None removes one.

        `moment` is when they began to be made. A deleted item gets no list.
        """
        calls = [
            WRITE.call(self.keys.similar(item_id), self.keys.item(item_id), encoded or b"", moment)
            for item_id, encoded in lists.items()
        ]
        await self.retry(lambda: WRITE.run(self.redis, calls))

    async def missing(self, item_ids: Sequence[str]) -> list[str]:
        """Those of these items that have no list, in their order."""
        commands: list[Command] = [("EXISTS", self.keys.similar(item_id)) for item_id in item_ids]
        found = await self.retry(lambda: execute(self.redis, commands))
        return [item_id for item_id, exists in zip(item_ids, found, strict=True) if not exists]

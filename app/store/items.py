"""Stores the catalogue in Redis, as look-ups show it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from agents.ports import NOTHING_KEPT
from app.retry import Retry
from app.store import item_hash
from app.store.commands import execute
from app.store.connection import HashFields
from app.store.item_fields import TITLE_FIELDS
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script
from models.contract.item_codec import Change, Deleted, RecordPlace, Withdrawn
from models.quality.last_good import Kept, Retitled, StoredText
from models.quality.repair import Repair

# The rule is that of `RecordPlace.is_before`. A withdrawal changes one field alone, so it leaves no
# place where there is none: the whole item may still be missing, and come from earlier in the log.
WRITE = Script(
    """
local stored = redis.call('HGET', KEYS[1], 'place')
if stored then
  local partition, offset, time = string.match(stored, '^(%d+) (%d+) (%-?%d+)$')
  if partition == ARGV[1] and tonumber(ARGV[2]) < tonumber(offset) and tonumber(ARGV[3]) < tonumber(time) then
    return 0
  end
end
if stored or ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'place', ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
return 1
""",
    keys=1,
)
RETITLE = Script(
    """
if redis.call('HGET', KEYS[1], 'place') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
""",
    keys=1,
)


@dataclass(frozen=True, slots=True)
class RedisItems:
    """Implements the `ItemStore` port on Redis: one hash per item, which an upsert replaces."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def write(
        self,
        changes: Sequence[Change],
        places: Sequence[RecordPlace] = (),
        repairs: Sequence[Sequence[Repair]] = (),
        kept: Mapping[int, Kept] = NOTHING_KEPT,
    ) -> int:
        """Apply the changes in their order, but for those of which a later version is stored.

        `repairs` are those of each change, `kept` the titles of earlier records, by number of the
        change. A deleted item is marked, so that old lists do not show it. Returns how many were
        refused.
        """
        if not changes:
            return 0
        pairs = [
            _pairs(item_hash.encode_change(change, done, kept.get(row)))
            for row, (change, done) in enumerate(zip(changes, repairs or repeat(()), strict=False))
        ]
        calls = list(self._calls(changes, places, pairs)) if places else list(self._plain(changes, pairs))
        replies = await self.retry(lambda: WRITE.run(self.redis, calls))
        return replies.count(0) if places else 0

    async def titles(self, item_ids: Sequence[str]) -> list[StoredText]:
        """Return what is stored of these items' titles, in their order."""
        commands: list[Command] = [("HMGET", self.keys.item(each), *TITLE_FIELDS) for each in item_ids]
        rows = await self.retry(lambda: execute(self.redis, commands)) if commands else []
        return [item_hash.decode_stored_text(row) for row in rows]

    async def retitle(self, retitled: Sequence[Retitled]) -> None:
        """Replace titles, each if the item is still as that record wrote it."""
        calls = [
            RETITLE.call(
                self.keys.item(each.item_id), item_hash.encode_place(each.over), *_pairs(item_hash.encode_title(each))
            )
            for each in retitled
        ]
        if calls:
            await self.retry(lambda: RETITLE.run(self.redis, calls))

    def _calls(
        self, changes: Sequence[Change], places: Sequence[RecordPlace], pairs: Sequence[list[Any]]
    ) -> Iterator[Command]:
        for change, place, fields in zip(changes, places, pairs, strict=True):
            is_whole = 0 if isinstance(change, Withdrawn) else 1
            deletion = ("deletion", item_hash.encode_place(place)) if isinstance(change, Deleted) else ()
            yield WRITE.call(self.keys.item(change.item_id), *place, is_whole, *fields, *deletion)

    def _plain(self, changes: Sequence[Change], pairs: Sequence[list[Any]]) -> Iterator[Command]:
        for change, fields in zip(changes, pairs, strict=True):
            yield ("HSET", self.keys.item(change.item_id), *fields)


def _pairs(fields: HashFields) -> list[Any]:
    return [part for pair in fields.items() for part in pair]

"""Stores the catalogue in Redis, as look-ups show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat, zip_longest
from typing import Any

from agents.ports import NOTHING_KEPT, ItemOutcome
from app.retry import Retry
from app.store import item_hash
from app.store.commands import execute
from app.store.connection import HashFields
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script
from headrace.item_fields import TITLE_FIELDS
from models.contract.item_codec import Change, Deleted, RecordPlace
from models.quality.last_good import Kept, Retitled, StoredText
from models.quality.repair import Repair

# The rules are those of `RecordPlace.is_before`, and that no older `updated_at` replaces a newer
# one. A notice that an item is sold out, or on sale again, does not describe it. So it leaves no
# place where there is none: the whole item may still be missing, and come from earlier in the log.
# The replies are those of `ItemOutcome`.
WRITE = Script(
    """
local stored = redis.call('HGET', KEYS[1], 'place')
if stored and ARGV[1] ~= '' then
  local partition, offset, time = string.match(stored, '^(%d+) (%d+) (%-?%d+)$')
  if partition == ARGV[1] and tonumber(ARGV[2]) < tonumber(offset) and tonumber(ARGV[3]) < tonumber(time) then
    return 0
  end
end
local updated = tonumber(redis.call('HGET', KEYS[1], 'updated_at') or '')
if updated and ARGV[5] ~= '' and tonumber(ARGV[5]) < updated then
  return 2
end
if ARGV[1] ~= '' and (stored or (ARGV[4] ~= 'withdrawn' and ARGV[4] ~= 'restocked')) then
  redis.call('HSET', KEYS[1], 'place', ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
end
if ARGV[4] == 'restocked' and redis.call('HGET', KEYS[1], 'deleted') == '0' then
  redis.call('HSET', KEYS[1], 'available', '1')
  if ARGV[5] ~= '' then
    redis.call('HSET', KEYS[1], 'updated_at', ARGV[5])
  end
  return 1
end
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
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
NO_PLACE = ("", "", "")


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
    ) -> list[ItemOutcome]:
        """Apply the changes in their order, but for those of which a later version is stored.

        `repairs` are those of each change, `kept` the titles of earlier records, by number of the
        change. A deleted item is marked, so that old lists do not show it. Returns what became of
        each.
        """
        if not changes:
            return []
        calls = [
            self._call(change, place, item_hash.encode_change(change, done, kept.get(row)))
            for row, (change, place, done) in enumerate(
                zip_longest(changes, places, repairs or repeat((), len(changes)))
            )
        ]
        return [ItemOutcome(reply) for reply in await self.retry(lambda: WRITE.run(self.redis, calls))]

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

    def _call(self, change: Change, place: RecordPlace | None, fields: HashFields) -> Command:
        updated_at = str(fields.get("updated_at", ""))
        if isinstance(change, Deleted) and place is not None:
            fields = {**fields, "deletion": item_hash.encode_place(place)}
        kind = type(change).__name__.lower()
        return WRITE.call(self.keys.item(change.item_id), *(place or NO_PLACE), kind, updated_at, *_pairs(fields))


def _pairs(fields: HashFields) -> list[Any]:
    return [part for pair in fields.items() for part in pair]

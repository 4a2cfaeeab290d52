"""Reads the profiles of all users, and replaces those that were made again from the log."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from agents.ports import WriteOutcome
from agents.upkeep_ports import Replacement
from app.store.commands import execute
from app.store.keys import Keys, user_of
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script
from headrace.refusals import translate
from models.users.revision import REVISION
from models.users.stored import READ_FIELDS, StoredFields

SCANNED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RedisProfiles:
    """The `StoredProfiles` port on Redis. Every method raises HeadraceError while it is away."""

    redis: PackedRedis
    keys: Keys

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """The stored fields of these users' profiles, in their order; nothing for none."""
        rows = await self._execute([("HMGET", self.keys.profile(user), *READ_FIELDS) for user in user_ids])
        return [
            {name: value for name, value in zip(READ_FIELDS, row, strict=True) if value is not None} for row in rows
        ]

    async def user_ids(self) -> AsyncGenerator[list[str], None]:
        """Yield the users who have profiles, some at a time; one may come twice."""
        start, _ = self.keys.profile("\0").split("\0")
        pattern = f"{_literally(start)}*"
        try:
            async for found in self.redis.keys_like(pattern, SCANNED_AT_ONCE):
                yield [user_of(self.keys, key) for key in found]
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def _execute(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await execute(self.redis, commands)
        except (RedisError, OSError) as error:
            raise translate(error) from error


def _literally(text: str) -> str:
    """The text as a part of a pattern that matches only itself."""
    return "".join(f"\\{letter}" if letter in "\\*?[]" else letter for letter in text)


# A profile is replaced whole: fields that the new one lacks are removed.
REPLACE = Script(
    f"""
local stored = redis.call('HGET', KEYS[1], '{REVISION}') or ''
if stored ~= ARGV[1] then
  return stored == ARGV[2] and {WriteOutcome.DONE} or {WriteOutcome.REFUSED}
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], '{REVISION}', ARGV[2], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {WriteOutcome.DONE}
""",
    keys=1,
)


@dataclass(frozen=True, slots=True)
class RedisRebuilt(RedisProfiles):
    """The `RebuiltProfiles` port on Redis. Every method raises HeadraceError while it is away."""

    async def replace(self, profiles: Sequence[Replacement]) -> list[WriteOutcome]:
        """Put each in the place of the one that it supersedes, whole. Returns what became of
        each.
        """
        calls = []
        for each in profiles:
            fields = [part for pair in each.fields.items() if pair[1] is not None for part in pair]
            key = self.keys.profile(each.user_id)
            calls.append(REPLACE.call(key, each.supersedes, each.revision, each.expire_seconds, *fields))  # type: ignore[arg-type]  # no field is None
        try:
            return [WriteOutcome(reply) for reply in await REPLACE.run(self.redis, calls)] if calls else []
        except (RedisError, OSError) as error:
            raise translate(error) from error

    async def remove(self, user_ids: Sequence[str]) -> None:
        """Remove these profiles."""
        if user_ids:
            await self._execute([("DEL", self.keys.profile(user)) for user in user_ids])

"""Profiles and lists in Redis, each write behind the revision that it supersedes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.ports import Erased, WriteOutcome
from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.scripts import Script, Value
from models.users.revision import REVISION
from models.users.stored import READ_FIELDS, StoredFields
from models.users.writes import ListWrites, UserWrites

SECONDS_A_DAY = 86_400
WRITTEN_KEPT = 1_000
OUTCOMES = list(WriteOutcome)  # by value

# Replies are values of `WriteOutcome`. A write whose own revision is stored already was carried
# out: it is the repetition of one whose answer did not come.
WRITE = Script(
    f"""
local stored = redis.call('HGET', KEYS[1], '{REVISION}') or ''
if stored ~= ARGV[1] then
  return stored == ARGV[2] and {WriteOutcome.DONE} or {WriteOutcome.REFUSED}
end
local removed = tonumber(ARGV[5])
if removed > 0 then redis.call('HDEL', KEYS[1], unpack(ARGV, 6, 5 + removed)) end
redis.call('HSET', KEYS[1], '{REVISION}', ARGV[2], unpack(ARGV, 6 + removed))
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[4], 'EX', ARGV[3])
return {WriteOutcome.DONE}
""",
    keys=2,
)
# A profile that is no longer there gets no revision, which would never expire.
CORRECT = Script(
    f"""
local stored = redis.call('HGET', KEYS[1], '{REVISION}') or ''
if stored ~= ARGV[1] and stored ~= ARGV[2] then return {WriteOutcome.REFUSED} end
if stored == '' and redis.call('EXISTS', KEYS[1]) == 0 then return {WriteOutcome.GONE} end
redis.call('HSET', KEYS[1], '{REVISION}', ARGV[2])
return redis.call('SET', KEYS[2], ARGV[3], 'XX', 'KEEPTTL') and {WriteOutcome.DONE} or {WriteOutcome.GONE}
""",
    keys=2,
)


@dataclass(frozen=True, slots=True)
class RedisUsers:
    """The `UserStore` port on Redis."""

    redis: PackedRedis
    keys: Keys
    retry: Retry
    expire_days: float
    _written: deque[str] = field(default_factory=lambda: deque(maxlen=WRITTEN_KEPT))

    def take_written(self, n: int) -> list[str]:
        """Up to n users whose lists were written last, oldest first, and forget them: each is told
        of once.
        """
        written = list(self._written)[-n:]
        self._written.clear()
        return written

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """The stored fields of these users' profiles, in their order; nothing for a new user."""
        return await self.retry(lambda: self._read(user_ids))

    async def write(self, writes: UserWrites) -> list[WriteOutcome]:
        """Write each user's profile and list as one step, all users in one round trip; a profile's
        offsets change together with its content.
        """
        expire = int(self.expire_days * SECONDS_A_DAY)
        calls = [
            WRITE.call(*self._keys(user), before, after, expire, encoded, *_fields(profile))
            for user, profile, encoded, before, after in zip(
                writes.user_ids, writes.profiles, writes.lists, *writes.fence, strict=True
            )
        ]
        return await self._run(WRITE, calls, writes.user_ids)

    async def correct(self, writes: ListWrites) -> list[WriteOutcome]:
        """Overwrite existing lists and keep their expiry. Returns what became of each."""
        calls = [
            CORRECT.call(*self._keys(user), before, after, encoded)
            for user, encoded, before, after in zip(writes.user_ids, writes.lists, *writes.fence, strict=True)
        ]
        return await self._run(CORRECT, calls, writes.user_ids)

    async def _run(self, script: Script, calls: Sequence[Command], user_ids: Sequence[str]) -> list[WriteOutcome]:
        if not calls:
            return []
        written = [OUTCOMES[reply] for reply in await self.retry(lambda: script.run(self.redis, calls))]
        self._written.extend(user for user, each in zip(user_ids, written, strict=True) if each is WriteOutcome.DONE)
        return written

    async def forget(self, user_ids: Sequence[str]) -> list[Erased]:
        """Remove all that is stored of these users. Returns what was there, in their order."""
        gone = set(user_ids)
        kept = [user for user in self._written if user not in gone]
        self._written.clear()
        self._written.extend(kept)
        commands: list[Command] = []
        for user in user_ids:
            commands += [("DEL", self.keys.profile(user)), ("DEL", self.keys.recommendation(user))]
        commands += [("ZREM", self.keys.recent_users(), user) for user in user_ids]
        replies = await self.retry(lambda: execute(self.redis, commands))
        return [Erased(*replies[at : at + 2]) for at in range(0, 2 * len(user_ids), 2)]

    async def _read(self, user_ids: Sequence[str]) -> list[StoredFields]:
        commands: list[Command] = [("HMGET", self.keys.profile(user), *READ_FIELDS) for user in user_ids]
        values = await execute(self.redis, commands)
        return [_known(each) for each in values]

    def _keys(self, user: str) -> tuple[str, str]:
        return self.keys.profile(user), self.keys.recommendation(user)


def _known(values: Sequence[bytes | None]) -> StoredFields:
    return {name: value for name, value in zip(READ_FIELDS, values, strict=True) if value is not None}


def _fields(profile: StoredFields) -> list[Value]:
    """The number of fields to remove, their names, then names and values of the others."""
    removed: list[Value] = []
    kept: list[Value] = []
    for name, value in profile.items():
        if value is None:
            removed.append(name)
        else:
            kept += (name, value)
    return [len(removed), *removed, *kept]

"""Profiles and lists in Redis."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from models.processor import UserWrites
from models.users.stored import READ_FIELDS, StoredFields

SECONDS_A_DAY = 86_400
WRITTEN_KEPT = 1_000


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

    async def write(self, writes: UserWrites) -> None:
        """Write profiles, then lists, in one round trip; a profile's offsets change together with
        its content.
        """
        if not writes.user_ids:
            return
        await self.retry(lambda: self._write(writes))
        self._written.extend(writes.user_ids)

    async def correct(self, lists: Mapping[str, bytes]) -> set[str]:
        """Overwrite existing lists and keep their expiry. Returns the users whose lists existed."""
        commands: list[Command] = [
            ("SET", self.keys.recommendation(user), encoded, "XX", "KEEPTTL") for user, encoded in lists.items()
        ]
        replies = await self.retry(lambda: execute(self.redis, commands))
        corrected = [user for user, reply in zip(lists, replies, strict=True) if reply is not None]
        self._written.extend(corrected)
        return set(corrected)

    async def _read(self, user_ids: Sequence[str]) -> list[StoredFields]:
        commands: list[Command] = [("HMGET", self.keys.profile(user), *READ_FIELDS) for user in user_ids]
        values = await execute(self.redis, commands)
        return [_known(each) for each in values]

    async def _write(self, writes: UserWrites) -> None:
        expire = int(self.expire_days * SECONDS_A_DAY)
        commands: list[Command] = []
        for user, profile in zip(writes.user_ids, writes.profiles, strict=True):
            key = self.keys.profile(user)
            commands.append(("HSET", key, *_pairs(profile)))
            commands.append(("EXPIRE", key, expire))
            if removed := [name for name, value in profile.items() if value is None]:
                commands.append(("HDEL", key, *removed))
        for user, encoded in zip(writes.user_ids, writes.lists, strict=True):
            commands.append(("SET", self.keys.recommendation(user), encoded, "EX", expire))
        await execute(self.redis, commands)


def _known(values: Sequence[bytes | None]) -> StoredFields:
    return {name: value for name, value in zip(READ_FIELDS, values, strict=True) if value is not None}


def _pairs(profile: StoredFields) -> Iterator[str | bytes]:
    for name, value in profile.items():
        if value is not None:
            yield name
            yield value

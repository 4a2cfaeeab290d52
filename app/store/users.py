"""Profiles and lists in Redis, with the profiles of active users kept in memory."""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.retry import Retry
from app.store import profile_hash
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from models.profile import Profile

SECONDS_A_DAY = 86_400
WRITTEN_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class RedisUsers:
    """The `UserStore` port on Redis.

    A user belongs to one worker at a time, so a cached profile is the newest one; on every change of
    partitions the cache must be forgotten.
    """

    redis: PackedRedis
    keys: Keys
    retry: Retry
    expire_days: float
    capacity: int
    _cache: OrderedDict[str, Profile] = field(default_factory=OrderedDict)
    _written: deque[str] = field(default_factory=lambda: deque(maxlen=WRITTEN_KEPT))

    def __len__(self) -> int:
        return len(self._cache)

    def forget(self) -> None:
        """Drop all cached profiles: another worker may have written them."""
        self._cache.clear()

    def take_written(self, n: int) -> list[str]:
        """Up to n users whose lists were written last, oldest first, and forget them: each is told of once."""
        written = list(self._written)[-n:]
        self._written.clear()
        return written

    async def load(self, user_ids: Sequence[str]) -> Mapping[str, Profile]:
        """The profiles of all these users; a new user has an empty one."""
        # Taken before the read, during which the cache may be forgotten.
        profiles = {user: self._cache[user] for user in user_ids if user in self._cache}
        missing = [user for user in user_ids if user not in profiles]
        if missing:
            profiles |= await self.retry(lambda: self._read(missing))
        return profiles

    async def write(self, profiles: Mapping[str, Profile], lists: Mapping[str, bytes]) -> None:
        """Write profiles, then lists, in one round trip; a profile's offsets change together with its content."""
        if not profiles and not lists:
            return
        await self.retry(lambda: self._write(profiles, lists))
        for user, profile in profiles.items():
            self._cache[user] = profile
            self._cache.move_to_end(user)
        self._written.extend(lists)
        while len(self._cache) > self.capacity:
            self._cache.popitem(last=False)

    async def correct(self, lists: Mapping[str, bytes]) -> set[str]:
        """Replace lists that are still there, which expire when they would have anyway; whose lists those are."""
        commands: list[Command] = [
            ("SET", self.keys.recommendation(user), encoded, "XX", "KEEPTTL") for user, encoded in lists.items()
        ]
        replies = await self.retry(lambda: execute(self.redis, commands))
        corrected = [user for user, reply in zip(lists, replies, strict=True) if reply is not None]
        self._written.extend(corrected)
        return set(corrected)

    async def _read(self, user_ids: Sequence[str]) -> dict[str, Profile]:
        commands: list[Command] = [("HMGET", self.keys.profile(user), *profile_hash.FIELDS) for user in user_ids]
        values = await execute(self.redis, commands)
        return {user: profile_hash.decode(each) for user, each in zip(user_ids, values, strict=True)}

    async def _write(self, profiles: Mapping[str, Profile], lists: Mapping[str, bytes]) -> None:
        expire = int(self.expire_days * SECONDS_A_DAY)
        commands: list[Command] = []
        for user, profile in profiles.items():
            key = self.keys.profile(user)
            fields = [part for field in profile_hash.encode(profile).items() for part in field]
            commands.append(("HSET", key, *fields))
            commands.append(("EXPIRE", key, expire))
        commands += [("SET", self.keys.recommendation(user), encoded, "EX", expire) for user, encoded in lists.items()]
        await execute(self.redis, commands)

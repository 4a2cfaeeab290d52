"""Reads the profiles of all users, for commands that compare them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from app.store.commands import execute
from app.store.connection import translate
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
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
        start, end = self.keys.profile("\0").split("\0")
        pattern, cursor = f"{_literally(start)}*{_literally(end)}", b"0"
        while True:
            [(cursor, found)] = await self._execute([("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED_AT_ONCE)])
            yield [key.decode(errors="replace").removeprefix(start).removesuffix(end) for key in found]
            if cursor == b"0":
                return

    async def _execute(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await execute(self.redis, commands)
        except (RedisError, OSError) as error:
            raise translate(error) from error


def _literally(text: str) -> str:
    """The text as a part of a pattern that matches only itself."""
    return "".join(f"\\{letter}" if letter in "\\*?[]" else letter for letter in text)

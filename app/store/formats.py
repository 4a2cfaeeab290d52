"""Which versions Redis holds of all that Headrace stores there: the hash `hr:formats`."""

from contextlib import suppress
from dataclasses import dataclass

from app.concerns import RedisSettings
from app.store.commands import execute
from app.store.connection import connect
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.store import STORE_ERRORS
from models.contract.formats import IN_REDIS, check_said

# ARGV: name and version, again and again. A version is never made lower.
NOTE = """
for i = 1, #ARGV, 2 do
  local noted = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0') or 0
  if noted < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
"""


@dataclass(frozen=True, slots=True)
class RedisFormats:
    """The versions in one Redis. Calls raise RedisError and OSError while it is away."""

    redis: PackedRedis
    keys: Keys

    async def check(self) -> None:
        """Raises NewerFormat when a newer version of Headrace wrote what is there."""
        names = [each.name for each in IN_REDIS]
        [found] = await execute(self.redis, [("HMGET", self.keys.formats(), *names)])
        for kind, noted in zip(IN_REDIS, found, strict=True):
            check_said(kind, noted)

    async def keep(self) -> None:
        """Check, then note the versions that this one writes, also after Redis lost its data."""
        await self.check()
        pairs = [part for each in IN_REDIS for part in (each.name, each.version)]
        await execute(self.redis, [("EVAL", NOTE, 1, self.keys.formats(), *pairs)])


async def check_formats(settings: RedisSettings) -> None:
    """Check the formats in the configured Redis; one that is away is checked by nobody.

    Raises NewerFormat, and HeadraceError for an address that cannot be used.
    """
    async with connect(settings) as redis:
        with suppress(*STORE_ERRORS):
            await RedisFormats(redis, Keys(settings.prefix)).check()

"""Counts the lists in Redis."""

from redis.asyncio import Redis

from app.concerns import RedisSettings
from app.store.connection import connect
from app.store.keys import Keys


async def count_lists(settings: RedisSettings) -> int:
    """Return the number of users with a list.

    Scans all keys: use it for reports, not for look-ups.
    """
    redis: Redis = connect(settings)
    pattern = Keys(settings.prefix).recommendation("*")
    try:
        # Collected in a set, because SCAN may return a key twice while its table grows.
        return len({key async for key in redis.scan_iter(match=_literal(pattern), count=10_000)})
    finally:
        await redis.aclose()


def _literal(pattern: str) -> str:
    return pattern.replace("[", r"\[").replace("?", r"\?")

"""Counts the lists in Redis, and names users who have one. Scans all keys: for reports, not for
look-ups.
"""

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


async def users_with_lists(settings: RedisSettings, most: int) -> list[str]:
    """Returns the ids of up to `most` users with a list, sorted."""
    redis: Redis = connect(settings)
    head, _, tail = Keys(settings.prefix).recommendation("*").partition("*")
    users: set[str] = set()
    try:
        async for key in redis.scan_iter(match=f"{_literal(head)}*", count=1_000):
            users.add(key.decode().removeprefix(head).removesuffix(tail))
            if len(users) == most:
                break
    finally:
        await redis.aclose()
    return sorted(users)


def _literal(pattern: str) -> str:
    return pattern.replace("[", r"\[").replace("?", r"\?")

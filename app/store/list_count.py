"""Counts the lists in Redis, and names users who have one. Scans all keys: for reports, not for
look-ups.
"""

from app.concerns import RedisSettings
from app.store.connection import connect
from app.store.keys import Keys, user_of


async def count_lists(settings: RedisSettings) -> int:
    """Return the number of users with a list.

    Scans all keys: use it for reports, not for look-ups.
    """
    async with connect(settings) as redis:
        # Collected in a set, because SCAN may return a key twice while its table grows.
        return len({key async for found in redis.keys_like(_pattern(settings), 10_000) for key in found})


async def users_with_lists(settings: RedisSettings, most: int) -> list[str]:
    """Returns the ids of up to `most` users with a list, sorted."""
    keys = Keys(settings.prefix)
    users: set[str] = set()
    async with connect(settings) as redis:
        async for found in redis.keys_like(_pattern(settings), 1_000):
            users |= {user_of(keys, key) for key in found}
            if len(users) >= most:
                break
    return sorted(users)[:most]


def _pattern(settings: RedisSettings) -> str:
    head, _, _ = Keys(settings.prefix).recommendation("*").partition("*")
    return head.replace("[", r"\[").replace("?", r"\?") + "*"

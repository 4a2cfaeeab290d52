"""How many bytes of Redis a user takes: as counted from what is written, and as a real server
says.
"""

from pathlib import Path

from app.concerns import RedisSettings
from app.local.servers import embedded_redis
from app.store.keys import Keys
from app.store.memory_usage import measure_memory
from models.users.writes import UserWrites

SECONDS_A_DAY = 86_400

Stored = dict[str, dict[str, int]]


def measure_stored(writes: UserWrites, settings: RedisSettings, folder: Path) -> Stored:
    """Bytes a user of profile and list: keys, fields and values, and Redis's own MEMORY USAGE of a
    key.

    `server` is the server's processor time to write one user, in microseconds. Raises HeadraceError
    when no embedded Redis starts.
    """
    keys, users = Keys(settings.prefix), len(writes.user_ids)
    profiles, lists = 0, 0
    for user, profile, ranked in zip(writes.user_ids, writes.profiles, writes.lists, strict=True):
        pairs = sum(len(name) + len(value) for name, value in profile.items() if value is not None)
        profiles += len(keys.profile(user).encode()) + pairs
        lists += len(keys.recommendation(user).encode()) + len(ranked)
    with embedded_redis(folder) as url:
        used = measure_memory(url, writes, keys, int(settings.expire_days * SECONDS_A_DAY))
    return {
        "profile": {"bytes": round(profiles / users), "memory_bytes": round(used.profiles / users)},
        "list": {"bytes": round(lists / users), "memory_bytes": round(used.lists / users)},
        "server": {"microseconds": round(1e6 * used.seconds_a_user)},
    }

"""How many bytes of Redis a user takes: as counted from what is written, and as a real server
says.
"""

from pathlib import Path

from redis import Redis

from app.concerns import RedisSettings
from app.local.servers import embedded_redis
from app.store.connection import HashFields
from app.store.keys import Keys
from models.processor import UserWrites

SECONDS_A_DAY = 86_400
ROUNDS = 5

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
    with embedded_redis(folder) as url, Redis.from_url(url) as redis:
        before = _cpu_seconds(redis)
        for _ in range(ROUNDS):
            _write(redis, writes, keys, int(settings.expire_days * SECONDS_A_DAY))
        spent = _cpu_seconds(redis) - before
        profile_memory = _memory(redis, [keys.profile(user) for user in writes.user_ids])
        list_memory = _memory(redis, [keys.recommendation(user) for user in writes.user_ids])
    return {
        "profile": {"bytes": round(profiles / users), "memory_bytes": round(profile_memory / users)},
        "list": {"bytes": round(lists / users), "memory_bytes": round(list_memory / users)},
        "server": {"microseconds": round(1e6 * spent / users / ROUNDS)},
    }


def _write(redis: Redis, writes: UserWrites, keys: Keys, expire: int) -> None:
    pipeline = redis.pipeline(transaction=False)
    for user, profile, ranked in zip(writes.user_ids, writes.profiles, writes.lists, strict=True):
        fields: HashFields = {name: value for name, value in profile.items() if value is not None}
        pipeline.hset(keys.profile(user), mapping=fields)
        pipeline.expire(keys.profile(user), expire)
        pipeline.set(keys.recommendation(user), ranked, ex=expire)
    pipeline.execute()


def _cpu_seconds(redis: Redis) -> float:
    used = redis.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def _memory(redis: Redis, names: list[str]) -> int:
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.memory_usage(name, samples=0)
    return sum(int(each) for each in pipeline.execute())

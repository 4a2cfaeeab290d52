"""What users take of a real Redis: memory of their keys, and the server's time to write them."""

from typing import NamedTuple

from redis import Redis

from app.store.connection import HashFields
from app.store.keys import Keys
from models.users.writes import UserWrites

ROUNDS = 5


class MemoryUsage(NamedTuple):
    """Bytes of all profiles and of all lists, and the server's seconds to write one user."""

    profiles: int
    lists: int
    seconds_a_user: float


def measure_memory(url: str, writes: UserWrites, keys: Keys, expire: int) -> MemoryUsage:
    """Write the users into an empty Redis. Returns what they take there."""
    with Redis.from_url(url) as redis:
        before = _cpu_seconds(redis)
        for _ in range(ROUNDS):
            _write(redis, writes, keys, expire)
        spent = _cpu_seconds(redis) - before
        return MemoryUsage(
            _memory(redis, [keys.profile(user) for user in writes.user_ids]),
            _memory(redis, [keys.recommendation(user) for user in writes.user_ids]),
            spent / len(writes.user_ids) / ROUNDS,
        )


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

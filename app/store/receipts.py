"""What was erased for a request to forget a user, kept for the one who asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from redis.exceptions import RedisError

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from headrace.refusals import translate

EXPIRE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class RedisReceipts:
    """The `Receipts` port on Redis: a hash for each request."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def write(self, request_id: str, partition: int, counts: Mapping[str, int]) -> None:
        """Note what was erased of one partition.

        What was noted before a repetition, after a crash, was erased then: the first note stays.
        """
        key = self.keys.forgotten(request_id)
        await self.retry(
            lambda: execute(
                self.redis, [("HSETNX", key, partition, orjson.dumps(counts)), ("EXPIRE", key, EXPIRE_SECONDS)]
            )
        )


async def read_receipts(redis: PackedRedis, keys: Keys, request_ids: Sequence[str]) -> list[dict[int, dict[str, int]]]:
    """What was erased for each request so far, by partition. Raises HeadraceError while Redis is
    away.
    """
    try:
        found = await execute(redis, [("HGETALL", keys.forgotten(each)) for each in request_ids])
    except (RedisError, OSError) as error:
        raise translate(error) from error
    return [{int(place): orjson.loads(counts) for place, counts in _pairs(row)} for row in found]


def _pairs(row: Any) -> Iterable[tuple[bytes, bytes]]:
    """The fields of a hash, in either protocol of Redis."""
    return row.items() if isinstance(row, dict) else zip(row[::2], row[1::2], strict=True)


async def count_keys(redis: PackedRedis, keys: Keys, user: str) -> int:
    """How many keys and entries Redis has of a user. Raises HeadraceError while it is away."""
    commands: list[Command] = [
        ("EXISTS", keys.profile(user)),
        ("EXISTS", keys.recommendation(user)),
        ("ZSCORE", keys.recent_users(), user),
    ]
    try:
        replies = await execute(redis, commands)
    except (RedisError, OSError) as error:
        raise translate(error) from error
    return sum(1 for reply in replies if reply)

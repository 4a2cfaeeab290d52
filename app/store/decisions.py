"""Stores which items are hidden by a verdict on their text, and which the shop allows in spite of
it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.answers import decode_times
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from models.quality.text import QualitySettings, weight_of


@dataclass(frozen=True, slots=True)
class RedisDecisions:
    """Implements the `DecisionStore` port on Redis."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def allowed(self) -> frozenset[str]:
        """Return the items that the shop allows."""
        [found] = await self.retry(lambda: execute(self.redis, [("HGETALL", self.keys.allowed())]))
        return frozenset(decode_times(found))

    async def publish_hidden(self, item_ids: Sequence[str]) -> None:
        """Replace the list of hidden items, in its order."""
        commands: list[Command] = [("MULTI",), ("DEL", self.keys.hidden())]
        if item_ids:
            places = range(len(item_ids), 0, -1)
            commands.append(
                ("ZADD", self.keys.hidden(), *(part for pair in zip(places, item_ids, strict=True) for part in pair))
            )
        await self.retry(lambda: execute(self.redis, [*commands, ("EXEC",)]))


async def allow_item(redis: PackedRedis, keys: Keys, item_id: str, now: float) -> None:
    """Let no verdict hide the item. Look-ups show it at once, workers list it within seconds.

    `now` is in seconds since 1970. Raises RedisError and OSError.
    """
    commands: list[Command] = [("HSET", keys.allowed(), item_id, repr(now))]
    if await _quality(redis, keys, item_id) is not None:
        commands.append(("HSET", keys.item(item_id), "recommendable", "1"))
    await execute(redis, commands)


async def undo_allow(redis: PackedRedis, keys: Keys, item_id: str, settings: QualitySettings) -> bool:
    """Let the verdict decide again. Returns False if the item was not allowed.

    Raises RedisError and OSError.
    """
    [removed] = await execute(redis, [("HDEL", keys.allowed(), item_id)])
    quality = await _quality(redis, keys, item_id)
    if removed and quality is not None and not weight_of(quality, settings):
        await execute(redis, [("HSET", keys.item(item_id), "recommendable", "0")])
    return bool(removed)


async def _quality(redis: PackedRedis, keys: Keys, item_id: str) -> float | None:
    [found] = await execute(redis, [("HGET", keys.item(item_id), "quality")])
    return float(found) if found else None

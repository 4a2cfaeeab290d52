"""Stores the catalogue in Redis, as look-ups show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from app.retry import Retry
from app.store import item_hash
from app.store.keys import Keys
from models.contract.item_codec import Change


@dataclass(frozen=True, slots=True)
class RedisItems:
    """Implements the `ItemStore` port on Redis: one hash per item, which an upsert replaces."""

    redis: Redis
    keys: Keys
    retry: Retry

    async def write(self, changes: Sequence[Change]) -> None:
        """Apply the changes in their order.

        A deleted item is marked, so that old lists do not show it.
        """
        if changes:
            await self.retry(lambda: self._write(changes))

    async def _write(self, changes: Sequence[Change]) -> None:
        pipeline = self.redis.pipeline(transaction=False)
        for change in changes:
            pipeline.hset(self.keys.item(change.item_id), mapping=item_hash.encode_change(change))
        await pipeline.execute()

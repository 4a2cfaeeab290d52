"""The catalogue in Redis, as look-ups show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from app.retry import Retry
from app.store.connection import HashFields
from app.store.keys import Keys
from models.contract.events import Item
from models.contract.item_codec import Change, Deleted, Withdrawn


@dataclass(frozen=True, slots=True)
class RedisItems:
    """The `ItemStore` port on Redis: one hash per item, replaced whole on every upsert."""

    redis: Redis
    keys: Keys
    retry: Retry

    async def write(self, changes: Sequence[Change]) -> None:
        """Apply the changes in their order. A deleted item leaves a mark, so that old lists do not show it."""
        if changes:
            await self.retry(lambda: self._write(changes))

    async def _write(self, changes: Sequence[Change]) -> None:
        pipeline = self.redis.pipeline(transaction=False)
        for change in changes:
            pipeline.hset(self.keys.item(change.item_id), mapping=_fields(change))
        await pipeline.execute()


def _fields(change: Change) -> HashFields:
    """All fields of an item, empty where there is nothing: one HSET replaces it, and no reader sees half of it."""
    if isinstance(change, Withdrawn):
        return {"available": 0}
    deleted = isinstance(change, Deleted)
    item = Item(change.item_id, title="", available=False) if isinstance(change, Deleted) else change
    return {
        "title": item.title,
        "category": item.category,
        "brand": item.brand,
        "price": "" if item.price is None else repr(item.price),
        "currency": item.currency,
        "available": int(item.available),
        "deleted": int(deleted),
    }

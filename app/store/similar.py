"""What is like each item, in Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis


@dataclass(frozen=True, slots=True)
class RedisSimilar:
    """The `SimilarStore` port on Redis: one string per item."""

    redis: PackedRedis
    keys: Keys
    retry: Retry

    async def write(self, lists: Mapping[str, bytes | None]) -> None:
        """Replace the lists of these items; None removes one."""
        commands: list[Command] = [
            ("DEL", self.keys.similar(item_id)) if encoded is None else ("SET", self.keys.similar(item_id), encoded)
            for item_id, encoded in lists.items()
        ]
        await self.retry(lambda: execute(self.redis, commands))

    async def missing(self, item_ids: Sequence[str]) -> list[str]:
        """Those of these items that have no list, in their order."""
        commands: list[Command] = [("EXISTS", self.keys.similar(item_id)) for item_id in item_ids]
        found = await self.retry(lambda: execute(self.redis, commands))
        return [item_id for item_id, exists in zip(item_ids, found, strict=True) if not exists]

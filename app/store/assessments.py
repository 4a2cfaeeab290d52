"""What models say of items in Redis: fields of the item's hash, and the vector set with what one may filter by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agents.ports import Assessed
from app.retry import Retry
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.vector_set import VectorSet
from models.contract.events import Item
from models.quality.assessment import Assessment, unpack_vectors
from models.quality.text import QualitySettings

# The hash of the text comes last: where it is, everything else is.
FIELDS = ("vector", "quality", "reasons", "vector_model", "judge", "recommendable", "text_hash")
ITEM_FIELDS = ("title", "category", "brand", "price", "currency", "available", "deleted")


@dataclass(frozen=True, slots=True)
class RedisAssessments:
    """The `AssessmentStore` port on Redis."""

    redis: PackedRedis
    keys: Keys
    retry: Retry
    vectors: VectorSet
    settings: QualitySettings

    async def items(self, item_ids: Sequence[str]) -> list[Item | None]:
        """The items as they are stored now; None for one that is unknown or deleted."""
        rows = await self._read(item_ids, ITEM_FIELDS)
        return [_item(item_id, row) for item_id, row in zip(item_ids, rows, strict=True)]

    async def load(self, item_ids: Sequence[str]) -> list[Assessment | None]:
        """What was stored of each item, in their order."""
        return [_assessment(row) for row in await self._read(item_ids, FIELDS)]

    async def write(self, assessed: Sequence[Assessed]) -> None:
        """Make the assessments, and the items' present attributes beside the vectors, readable."""
        await self.retry(lambda: self._write(assessed))

    async def remember(self, said: Mapping[str, Assessment | None]) -> None:
        """Make assessments readable, but not the vectors by which items are found; None removes one."""
        commands: list[Command] = [
            ("HDEL", self.keys.item(item_id), *FIELDS)
            if each is None
            else ("HSET", self.keys.item(item_id), *_fields(each, self.settings))
            for item_id, each in said.items()
        ]
        await self.retry(lambda: execute(self.redis, commands))

    async def forget(self, item_ids: Sequence[str]) -> None:
        """Remove what was stored of items that were deleted."""
        await self.retry(lambda: self._forget(item_ids))

    async def complete(self) -> None:
        """Put the vectors of the models in use in the place of those of others."""
        await self.retry(self.vectors.complete)

    async def _write(self, assessed: Sequence[Assessed]) -> None:
        entries = {
            each.item.item_id: (unpack_vectors([each.assessment.vector])[0], self._attributes(each))
            for each in assessed
            if each.assessment.vector
        }
        await self.vectors.put(entries, {each.item.item_id for each in assessed if each.is_new})
        commands: list[Command] = [
            ("HSET", self.keys.item(each.item.item_id), *_fields(each.assessment, self.settings))
            for each in assessed
            if each.is_new
        ]
        await execute(self.redis, commands)

    async def _forget(self, item_ids: Sequence[str]) -> None:
        await self.vectors.remove(item_ids)
        commands: list[Command] = []
        for item_id in item_ids:
            commands += [("HDEL", self.keys.item(item_id), *FIELDS), ("DEL", self.keys.similar(item_id))]
        await execute(self.redis, commands)

    async def _read(self, item_ids: Sequence[str], fields: Sequence[str]) -> list[list[bytes | None]]:
        commands: list[Command] = [("HMGET", self.keys.item(item_id), *fields) for item_id in item_ids]
        return await self.retry(lambda: execute(self.redis, commands)) if commands else []

    def _attributes(self, each: Assessed) -> bytes:
        item, said = each.item, each.assessment
        return orjson.dumps(
            {
                "category": item.category,
                "brand": item.brand,
                "price": item.price,
                "quality": said.quality,
                "available": item.available,
                "recommended": item.available and said.weight(self.settings) > 0,
            }
        )


def _fields(said: Assessment, settings: QualitySettings) -> list[str | bytes]:
    quality = "" if said.quality is None else repr(said.quality)
    reasons = orjson.dumps(said.reasons)
    # Stored lists may be older than the verdict, and look-ups know no thresholds.
    recommendable = "1" if said.weight(settings) > 0 else "0"
    values: list[str | bytes] = [
        said.vector, quality, reasons, said.embedding, said.judge, recommendable, said.text_hash
    ]  # fmt: skip
    fields: list[str | bytes] = []
    for name, value in zip(FIELDS, values, strict=True):
        fields += (name, value)
    return fields


def _assessment(row: Sequence[bytes | None]) -> Assessment | None:
    """None also for what somebody else wrote: the models are asked again then."""
    vector, quality, reasons, embedding, judge, _, text_hash = row
    if not text_hash:
        return None
    try:
        return Assessment(
            text_hash=text_hash.decode(),
            embedding=(embedding or b"").decode(),
            vector=vector or b"",
            judge=(judge or b"").decode(),
            quality=float(quality) if quality else None,
            reasons=tuple(map(str, orjson.loads(reasons or b"[]"))),
        )
    except (ValueError, TypeError):
        return None


def _item(item_id: str, row: Sequence[Any]) -> Item | None:
    title, category, brand, price, currency, available, deleted = (value.decode() if value else "" for value in row)
    if not title or deleted == "1":
        return None
    return Item(
        item_id=item_id,
        title=title,
        category=category,
        brand=brand,
        price=float(price) if price else None,
        currency=currency,
        available=available != "0",
    )

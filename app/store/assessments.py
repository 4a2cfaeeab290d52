"""Stores assessments in Redis: fields of the item's hash, and a vector set with attributes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from agents.ports import Assessed
from app.retry import Retry
from app.store import item_hash
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.vector_set import VectorSet
from headrace.item_fields import ASSESSMENT_FIELDS, CATALOGUE_FIELDS
from models.contract.events import Item
from models.quality.assessment import Assessment, unpack_vectors
from models.quality.last_good import good_title
from models.quality.text import QualitySettings


@dataclass(frozen=True, slots=True)
class RedisAssessments:
    """Implements the `AssessmentStore` port on Redis."""

    redis: PackedRedis
    keys: Keys
    retry: Retry
    vectors: VectorSet
    settings: QualitySettings
    is_allowed: Callable[[str], bool] = lambda _: False

    async def items(self, item_ids: Sequence[str]) -> list[Item | None]:
        """Return the items as they are stored now; None for an unknown or deleted one."""
        rows = await self._read(item_ids, CATALOGUE_FIELDS)
        return [item_hash.decode_item(item_id, row) for item_id, row in zip(item_ids, rows, strict=True)]

    async def load(self, item_ids: Sequence[str]) -> list[Assessment | None]:
        """Return the stored assessment of each item, in their order; None if there is none."""
        rows = await self._read(item_ids, ASSESSMENT_FIELDS)
        return [item_hash.decode_assessment(row) for row in rows]

    async def write(self, assessed: Sequence[Assessed]) -> None:
        """Store the assessments, and the items' present attributes beside the vectors."""
        await self.retry(lambda: self._write(assessed))

    async def remember(self, assessments: Mapping[str, Assessment | None]) -> None:
        """Store assessments without the vectors by which items are found. None removes one."""
        commands: list[Command] = [
            ("HDEL", self.keys.item(item_id), *ASSESSMENT_FIELDS, "good_title")
            if each is None
            else ("HSET", self.keys.item(item_id), *self._fields(item_id, each), "good_title", good_title(each))
            for item_id, each in assessments.items()
        ]
        await self.retry(lambda: execute(self.redis, commands))

    async def forget(self, item_ids: Sequence[str]) -> None:
        """Remove the assessments and the neighbours of items that were deleted."""
        await self.retry(lambda: self._forget(item_ids))

    async def complete(self) -> None:
        """Replace the vectors of other models by those of the models in use."""
        await self.retry(self.vectors.complete)

    async def _write(self, assessed: Sequence[Assessed]) -> None:
        entries = {
            each.item.item_id: (unpack_vectors([each.assessment.vector])[0], self._attributes(each))
            for each in assessed
            if each.assessment.vector
        }
        await self.vectors.put(entries, {each.item.item_id for each in assessed if each.is_new})
        untitled = [each.item.item_id for each in assessed if each.is_new and not each.item.title]
        if untitled:
            await self.vectors.remove(untitled)
        commands: list[Command] = [("DEL", self.keys.similar(item_id)) for item_id in untitled]
        commands += [
            ("HSET", self.keys.item(each.item.item_id), *self._fields(each.item.item_id, each.assessment))
            for each in assessed
            if each.is_new
        ]
        await execute(self.redis, commands)

    async def _forget(self, item_ids: Sequence[str]) -> None:
        await self.vectors.remove(item_ids)
        commands: list[Command] = []
        for item_id in item_ids:
            commands += [
                ("HDEL", self.keys.item(item_id), *ASSESSMENT_FIELDS),
                ("DEL", self.keys.similar(item_id)),
            ]
        await execute(self.redis, commands)

    async def _read(self, item_ids: Sequence[str], fields: Sequence[str]) -> list[list[bytes | None]]:
        commands: list[Command] = [("HMGET", self.keys.item(item_id), *fields) for item_id in item_ids]
        return await self.retry(lambda: execute(self.redis, commands)) if commands else []

    def _fields(self, item_id: str, assessment: Assessment) -> list[str | bytes]:
        fields = item_hash.encode_assessment(assessment, recommendable=self._is_recommendable(item_id, assessment))
        return [part for field in fields.items() for part in field]

    def _is_recommendable(self, item_id: str, assessment: Assessment) -> bool:
        return assessment.weight(self.settings) > 0 or self.is_allowed(item_id)

    def _attributes(self, each: Assessed) -> bytes:
        item, assessment = each.item, each.assessment
        return orjson.dumps(
            {
                "category": item.category,
                "brand": item.brand,
                "price": item.price,
                "quality": assessment.quality,
                "available": item.available,
                "recommended": item.available and self._is_recommendable(item.item_id, assessment),
            }
        )

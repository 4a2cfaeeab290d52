"""Stores assessments in Redis: fields of the item's hash, and a vector set with attributes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.ports import Assessed
from app.retry import Retry
from app.store import item_hash
from app.store.assessment_scripts import CLEAR, REMEMBER, TEXT_FIELDS, VERDICT_FIELDS, WRITE
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from app.store.vector_set import VectorSet
from headrace.item_fields import ASSESSMENT_FIELDS, CATALOGUE_FIELDS
from models.contract.events import Item
from models.quality.assessment import Assessment, unpack_vectors
from models.quality.last_good import good_title
from models.quality.text import QualitySettings

SEEN_FIELDS = (*CATALOGUE_FIELDS, *ASSESSMENT_FIELDS)


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

    async def write(self, assessed: Sequence[Assessed]) -> list[str]:
        """Store the assessments, and the items' present attributes beside the vectors.

        Returns the items of which the text, the verdict or the vector is another one meanwhile:
        their verdict is as it was.
        """
        return await self.retry(lambda: self._write(assessed))

    async def remember(self, assessments: Mapping[str, Assessment | None]) -> None:
        """Store assessments without the vectors by which items are found. None removes one.

        What another write changes meanwhile stays.
        """
        await self.retry(lambda: self._remember(assessments))

    async def forget(self, item_ids: Sequence[str]) -> None:
        """Remove the assessments and the neighbours of those of these items that are deleted."""
        await self.retry(lambda: self._forget(item_ids))

    async def complete(self) -> None:
        """Replace the vectors of other models by those of the models in use."""
        await self.retry(self.vectors.complete)

    async def _write(self, assessed: Sequence[Assessed]) -> list[str]:
        item_ids = [each.item.item_id for each in assessed]
        marks = await self.vectors.marks(item_ids)
        rows = await execute(self.redis, self._reads(item_ids, SEEN_FIELDS))
        seen = [_Seen.of(item_id, row) for item_id, row in zip(item_ids, rows, strict=True)]
        current = [
            (each._replace(item=found.item), found)
            for each, found in zip(assessed, seen, strict=True)
            if found.item is not None and found.is_superseded_by(each)
        ]
        entries = {
            each.item.item_id: (unpack_vectors([each.assessment.vector])[0], self._attributes(each))
            for each, _ in current
            if each.assessment.vector
        }
        refused = await self.vectors.put(entries, {each.item.item_id for each, _ in current if each.is_new}, marks)
        new = [(each, found) for each, found in current if each.is_new and each.item.item_id not in refused]
        await self.vectors.remove([each.item.item_id for each, _ in new if not each.item.title], self._untitled)
        # Last, so that after a crash the rest is not taken for done.
        calls = [self._verdict(each, found) for each, found in new]
        replies = await WRITE.run(self.redis, calls)
        refused.update(each.item.item_id for (each, _), reply in zip(new, replies, strict=True) if not reply)
        written = {each.item.item_id for each, _ in current} - refused
        return [item_id for item_id in item_ids if item_id not in written]

    async def _remember(self, assessments: Mapping[str, Assessment | None]) -> None:
        found = {item_id: each for item_id, each in assessments.items() if each is not None}
        before = await execute(self.redis, self._reads(list(found), VERDICT_FIELDS))
        calls = [
            REMEMBER.call(
                self.keys.item(item_id), *_texts(row), *self._fields(item_id, each), "good_title", good_title(each)
            )
            for (item_id, each), row in zip(found.items(), before, strict=True)
        ]
        await REMEMBER.run(self.redis, calls)
        await self._clear([item_id for item_id in assessments if item_id not in found])

    async def _forget(self, item_ids: Sequence[str]) -> None:
        await self.vectors.remove(item_ids, self._deleted)
        await self._clear(item_ids)

    async def _clear(self, item_ids: Sequence[str]) -> None:
        fields = (*ASSESSMENT_FIELDS, "good_title")
        calls = [CLEAR.call(self.keys.item(each), self.keys.similar(each), *fields) for each in item_ids]
        await CLEAR.run(self.redis, calls)

    async def _deleted(self, item_ids: Sequence[str]) -> list[str]:
        found = await self.items(item_ids)
        return [item_id for item_id, item in zip(item_ids, found, strict=True) if item is None]

    async def _untitled(self, item_ids: Sequence[str]) -> list[str]:
        found = await self.items(item_ids)
        return [item_id for item_id, item in zip(item_ids, found, strict=True) if item is not None and not item.title]

    async def _read(self, item_ids: Sequence[str], fields: Sequence[str]) -> list[list[bytes | None]]:
        commands = self._reads(item_ids, fields)
        return await self.retry(lambda: execute(self.redis, commands)) if commands else []

    def _reads(self, item_ids: Sequence[str], fields: Sequence[str]) -> list[Command]:
        return [("HMGET", self.keys.item(item_id), *fields) for item_id in item_ids]

    def _verdict(self, each: Assessed, found: "_Seen") -> Command:
        item_id = each.item.item_id
        without_list = int(not each.item.title)
        keys = self.keys.item(item_id), self.keys.similar(item_id)
        return WRITE.call(*keys, *found.verdict, *found.text, without_list, *self._fields(item_id, each.assessment))

    def _fields(self, item_id: str, assessment: Assessment) -> list[str | bytes]:
        fields = item_hash.encode_assessment(assessment, recommendable=self._is_recommendable(item_id, assessment))
        return [part for field in fields.items() for part in field]

    def _is_recommendable(self, item_id: str, assessment: Assessment) -> bool:
        return assessment.weight(self.settings) > 0 or self.is_allowed(item_id)

    def _attributes(self, each: Assessed) -> Mapping[str, object]:
        item, assessment = each.item, each.assessment
        return {
            "category": item.category,
            "brand": item.brand,
            "price": item.price,
            "quality": assessment.quality,
            "available": item.available,
            "recommended": item.available and self._is_recommendable(item.item_id, assessment),
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is stored of an item, None where it is not there, and what a write supersedes: the
    values of VERDICT_FIELDS and of TEXT_FIELDS.
    """

    item: Item | None
    assessment: Assessment | None
    verdict: list[bytes]
    text: list[bytes]

    @classmethod
    def of(cls, item_id: str, row: Sequence[bytes | None]) -> "_Seen":
        """From the values of SEEN_FIELDS."""
        catalogue, assessment = row[: len(CATALOGUE_FIELDS)], row[len(CATALOGUE_FIELDS) :]
        named = dict(zip(SEEN_FIELDS, _texts(row), strict=True))
        return cls(
            item=item_hash.decode_item(item_id, catalogue),
            assessment=item_hash.decode_assessment(assessment),
            verdict=[named[name] for name in VERDICT_FIELDS],
            text=[named[name] for name in TEXT_FIELDS],
        )

    def is_superseded_by(self, each: Assessed) -> bool:
        """Whether text and assessment are still those from which this was made."""
        before = each.before if each.is_new else each.assessment
        return self.item is not None and _text(self.item) == _text(each.item) and self.assessment == before


def _text(item: Item) -> tuple[str, str, str]:
    return item.title, item.category, item.brand


def _texts(row: Sequence[bytes | None]) -> tuple[bytes, ...]:
    """The values of fields, those of missing ones empty."""
    return tuple(value or b"" for value in row)

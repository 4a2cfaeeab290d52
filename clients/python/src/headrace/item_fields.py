"""Names the fields of an item's Redis hash, and reads them for look-ups.

The worker writes them: `app.store.item_hash`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import orjson

# What `decode_item` reads of what an upsert writes; it writes `repairs` and TITLE_FIELDS too.
CATALOGUE_FIELDS = ("title", "category", "brand", "price", "currency", "url", "image_url", "available", "deleted")
# The field `text_hash` comes last: if it is there, all others are. The field `judge` holds
# `judged_by` of the assessment.
ASSESSMENT_FIELDS = ("vector", "quality", "reasons", "vector_model", "judge", "recommendable", "text_hash")
# What is known of a title: `place` is that of the last record, `title_place` that of the record
# whose title is kept, `said_title` the title that was not taken, `deletion` the place of the item's
# last deletion. `good_title` is of a store that is being restored: the title of the log of
# assessments, until the item itself comes.
TITLE_FIELDS = ("title", "deleted", "place", "title_place", "said_title", "good_title", "deletion", "updated_at")
ENTRY_FIELDS = (*CATALOGUE_FIELDS, "repairs", "quality", "reasons", "recommendable")


class RepairFields(TypedDict):
    """What a look-up shows of one repair, as it is stored in JSON."""

    field: str
    rule: str
    before: str
    after: str
    confidence: float


class EntryFields(TypedDict):
    """What a look-up reads of an item. `known` is False if the hash has none of the fields."""

    title: str | None
    category: str | None
    brand: str | None
    price: float | None
    currency: str | None
    url: str | None
    image_url: str | None
    available: bool
    deleted: bool
    repairs: tuple[RepairFields, ...]
    quality: float | None
    reasons: tuple[str, ...] | None
    recommendable: bool | None
    known: bool


def decode_entry(values: Sequence[bytes | None]) -> EntryFields:
    """Return what a look-up shows, from the values of ENTRY_FIELDS.

    Raises ValueError, TypeError or KeyError for values that another program wrote.
    """
    found = {name: value.decode() for name, value in zip(ENTRY_FIELDS, values, strict=True) if value}
    return {
        "title": found.get("title"),
        "category": found.get("category"),
        "brand": found.get("brand"),
        "price": float(found["price"]) if found.get("price") else None,
        "currency": found.get("currency"),
        "url": found.get("url"),
        "image_url": found.get("image_url"),
        "available": found.get("available", "1") != "0",
        "deleted": found.get("deleted") == "1",
        "repairs": tuple(map(_repair, orjson.loads(found["repairs"]))) if found.get("repairs") else (),
        "quality": float(found["quality"]) if found.get("quality") else None,
        "reasons": tuple(map(str, orjson.loads(found["reasons"]))) if found.get("reasons") else None,
        "recommendable": found["recommendable"] != "0" if found.get("recommendable") else None,
        "known": bool(found),
    }


def _repair(row: Mapping[str, Any]) -> RepairFields:
    return {
        "field": str(row["field"]),
        "rule": str(row["rule"]),
        "before": str(row["before"]),
        "after": str(row["after"]),
        "confidence": float(row["confidence"]),
    }

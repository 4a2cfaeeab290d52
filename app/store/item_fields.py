"""Names the fields of an item's Redis hash, and reads them for look-ups.

`item_hash` has the worker's side. The shop's client imports this module, so it must not import
numpy.
"""

from collections.abc import Sequence
from typing import TypedDict

import orjson

CATALOGUE_FIELDS = ("title", "category", "brand", "price", "currency", "available", "deleted")
# The field `text_hash` comes last: if it is there, all others are. The field `judge` holds
# `judged_by` of the assessment.
ASSESSMENT_FIELDS = ("vector", "quality", "reasons", "vector_model", "judge", "recommendable", "text_hash")
ENTRY_FIELDS = (*CATALOGUE_FIELDS, "quality", "reasons", "recommendable")


class EntryFields(TypedDict):
    """What a look-up reads of an item. `known` is False if the hash has none of the fields."""

    title: str | None
    category: str | None
    brand: str | None
    price: float | None
    currency: str | None
    available: bool
    deleted: bool
    quality: float | None
    reasons: tuple[str, ...] | None
    recommendable: bool | None
    known: bool


def decode_entry(values: Sequence[bytes | None]) -> EntryFields:
    """Return what a look-up shows, from the values of ENTRY_FIELDS.

    Raises ValueError for values that another program wrote.
    """
    found = {name: value.decode() for name, value in zip(ENTRY_FIELDS, values, strict=True) if value}
    return {
        "title": found.get("title"),
        "category": found.get("category"),
        "brand": found.get("brand"),
        "price": float(found["price"]) if found.get("price") else None,
        "currency": found.get("currency"),
        "available": found.get("available", "1") != "0",
        "deleted": found.get("deleted") == "1",
        "quality": float(found["quality"]) if found.get("quality") else None,
        "reasons": tuple(map(str, orjson.loads(found["reasons"]))) if found.get("reasons") else None,
        "recommendable": found["recommendable"] != "0" if found.get("recommendable") else None,
        "known": bool(found),
    }

"""Reads and writes an item's Redis hash for the worker: the catalogue's and the models' fields.

The names are in `item_fields`. The catalogue replaces all its fields on every upsert, and the
models replace theirs. Neither changes the other's.
"""

from collections.abc import Sequence

import orjson

from app.store.connection import HashFields
from headrace.item_fields import CATALOGUE_FIELDS
from models.contract.events import Item
from models.contract.item_codec import Change, Deleted, RecordPlace, Withdrawn
from models.quality.assessment import Assessment
from models.quality.last_good import Kept, Retitled, StoredText
from models.quality.repair import Repair, encode_repairs


def encode_change(change: Change, repairs: Sequence[Repair] = (), kept: Kept | None = None) -> HashFields:
    """Return all fields of the catalogue, and what was repaired; an absent value is empty.

    One HSET replaces them all, so no reader sees a mixture of old and new fields. Of an item that
    is on sale again these are the fields for one that was never described. A version without
    a time leaves the newest one that is stored; a deletion removes it.
    """
    fields: HashFields = {"updated_at": ""} if isinstance(change, Deleted) else _time(change.updated_at)
    if isinstance(change, Withdrawn):
        return {**fields, "available": 0}
    deleted = isinstance(change, Deleted)
    item = change if isinstance(change, Item) else Item(change.item_id, title="", available=not deleted)
    return {
        **fields,
        "title": item.title,
        "category": item.category,
        "brand": item.brand,
        "price": "" if item.price is None else repr(item.price),
        "currency": item.currency,
        "url": item.url,
        "image_url": item.image_url,
        "available": int(item.available),
        "deleted": int(deleted),
        "repairs": encode_repairs(repairs),
        "title_place": "" if kept is None or kept.place is None else encode_place(kept.place),
        "said_title": "" if kept is None else kept.said,
        "good_title": "",
    }


def encode_place(place: RecordPlace) -> str:
    """Return the place of a record as the hash has it: partition, offset and time."""
    return f"{place.partition} {place.offset} {place.time}"


def decode_stored_text(values: Sequence[bytes | None]) -> StoredText:
    """Return what is stored of a title, from the values of TITLE_FIELDS."""
    texts = [value.decode() if value else "" for value in values]
    title, deleted, place, title_place, said, good, deletion, updated_at = texts
    if deleted == "1":
        return StoredText(place=_place(place), deletion=_place(deletion))
    newest = float(updated_at) if updated_at else None
    return StoredText(title or good, _place(place), _place(title_place), said, _place(deletion), newest)


def _place(text: str) -> RecordPlace | None:
    return RecordPlace(*map(int, text.split())) if text else None


def encode_title(retitled: Retitled) -> HashFields:
    """Return the fields that another title changes."""
    return {
        "title": retitled.title,
        "title_place": "" if retitled.place is None else encode_place(retitled.place),
        "said_title": retitled.said,
        "repairs": encode_repairs(retitled.repairs),
    }


def _time(updated_at: float | None) -> HashFields:
    return {} if updated_at is None else {"updated_at": repr(updated_at)}


def decode_item(item_id: str, values: Sequence[bytes | None]) -> Item | None:
    """Return the item from the values of CATALOGUE_FIELDS; None if it is unknown or deleted."""
    found = {name: value.decode() for name, value in zip(CATALOGUE_FIELDS, values, strict=True) if value}
    # Only a whole item has this field; what was withdrawn and never described has not.
    if found.get("deleted") != "0":
        return None
    return Item(
        item_id=item_id,
        title=found.get("title", ""),
        category=found.get("category", ""),
        brand=found.get("brand", ""),
        price=float(found["price"]) if "price" in found else None,
        currency=found.get("currency", ""),
        url=found.get("url", ""),
        image_url=found.get("image_url", ""),
        available=found.get("available") != "0",
    )


def encode_assessment(assessment: Assessment, *, recommendable: bool) -> dict[str, str | bytes]:
    """Return all fields of the models, in the order of ASSESSMENT_FIELDS."""
    return {
        "vector": assessment.vector,
        "quality": "" if assessment.quality is None else repr(assessment.quality),
        "reasons": orjson.dumps(assessment.reasons),
        "vector_model": assessment.embedding,
        "judge": assessment.judged_by,
        # Stored here, because lists may be older than the verdict and look-ups know no thresholds.
        "recommendable": "1" if recommendable else "0",
        "text_hash": assessment.text_hash,
    }


def decode_assessment(values: Sequence[bytes | None]) -> Assessment | None:
    """Return the assessment from the values of ASSESSMENT_FIELDS; None if there is none.

    Also returns None for values that another program wrote: the models then assess the item again.
    """
    vector, quality, reasons, embedding, judged_by, _, text_hash = values
    if not text_hash:
        return None
    try:
        return Assessment(
            text_hash=text_hash.decode(),
            embedding=(embedding or b"").decode(),
            vector=vector or b"",
            judged_by=(judged_by or b"").decode(),
            quality=float(quality) if quality else None,
            reasons=tuple(map(str, orjson.loads(reasons or b"[]"))),
        )
    except (ValueError, TypeError):
        return None

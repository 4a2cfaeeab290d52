"""Decode Kafka records to changes of the catalogue.

Each record is an upsert, a withdrawal, a deletion, or rejected with a reason.
"""

from dataclasses import dataclass
from dataclasses import fields as fields_of
from typing import Any, NamedTuple

import numpy as np

from models.contract.availability import read_availability, stated_availability
from models.contract.coercion import ITEM_FORMS, coerce, id_text, refuse_coerced
from models.contract.envelope import DELETED, ENVELOPE, open_record
from models.contract.event_codec import EventSettings, reject
from models.contract.events import OLDEST_TS, Item, RawBatch
from models.contract.fields import MAX_ID_LENGTH, Refused, check_past, moment, number, required_id, shown, string
from models.contract.item_key import item_of_key
from models.contract.outcome import Reason, Rejected
from models.contract.visible import is_visible

MAX_TITLE_LENGTH = 2_000
MAX_TEXT_LENGTH = 100_000
MAX_URL_LENGTH = 4_096
MILLISECONDS = 1000
# A record without any of these says only whether the item is on sale.
DESCRIPTION = ("title", "category", "brand", "description", "price", "currency", "attributes", "url", "image_url")
# Also what the readers of availability and of envelopes know.
KNOWN_FIELDS = frozenset((*(each.name for each in fields_of(Item)), "availability", DELETED))


@dataclass(frozen=True, slots=True)
class Deleted:
    """Removes an item from the catalogue: the record's value was null."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Marks an item as not available; its other attributes stay as they are."""

    item_id: str
    updated_at: float | None = None


@dataclass(frozen=True, slots=True)
class Restocked:
    """Marks an item as available again; its other attributes stay as they are, if there are any."""

    item_id: str
    updated_at: float | None = None


Change = Item | Withdrawn | Restocked | Deleted


class RecordPlace(NamedTuple):
    """Where a record of `items` is in the log, and its time in milliseconds since 1970."""

    partition: int
    offset: int
    time: int

    def is_before(self, other: "RecordPlace") -> bool:
        """Whether the other record came later to the same partition.

        In a topic that was made again offsets begin again, but not times: both have to be lower.
        """
        return self.partition == other.partition and self.offset < other.offset and self.time < other.time


class DecodedItem(NamedTuple):
    """Holds a record's change, its rejection, or both for a sold-out notice with another broken
    field.

    `coerced` names the fields that were understood though they differ from the contract's form, and
    `unknown_fields` counts those of an accepted record that were ignored.
    """

    change: Change | None
    rejected: Rejected | None = None
    coerced: tuple[str, ...] = ()
    unknown_fields: int = 0


def decode_items(batch: RawBatch, settings: EventSettings) -> list[DecodedItem]:
    """Return the decoded records of a batch of `items`, in offset order."""
    # A record without a time of its own sets no bound.
    latest = np.where(batch.times < OLDEST_TS, np.inf, batch.times + settings.future_tolerance_seconds).tolist()
    return [_decode(batch, row, settings, latest[row]) for row in range(len(batch))]


def changes_of(decoded: list[DecodedItem]) -> list[Change]:
    """Return the changes, in their order."""
    return [each.change for each in decoded if each.change is not None]


def places_of(batch: RawBatch, decoded: list[DecodedItem]) -> list[RecordPlace]:
    """Return where the records of the changes are, in the order of `changes_of`."""
    return [
        RecordPlace(batch.partition, int(batch.offsets[row]), round(batch.times[row] * MILLISECONDS))
        for row, each in enumerate(decoded)
        if each.change is not None
    ]


def _decode(batch: RawBatch, row: int, settings: EventSettings, latest: float) -> DecodedItem:
    key, value = batch.keys[row], batch.values[row]
    try:
        if value is None:
            change, coerced, unknown = *_deletion(key, None), 0
        else:
            change, coerced, unknown = _change(key, value, settings.max_bytes, latest)
        refuse_coerced(coerced, strict=settings.strict)
        return DecodedItem(change, coerced=coerced, unknown_fields=unknown)
    except Refused as refused:
        rejected = reject(batch, row, refused.reason, refused.detail)
        return DecodedItem(None, rejected) if value is None else _withdrawal(value, rejected, latest)


def _change(key: bytes | None, value: bytes, max_bytes: int, latest: float) -> tuple[Change, tuple[str, ...], int]:
    """Return the change, the names of fields in another form than the contract's, and the number of
    fields that are ignored. Of a deletion all but the id are, so none is counted.
    """
    opened = open_record(value, max_bytes)
    enveloped = (ENVELOPE,) if opened.enveloped else ()
    if opened.is_deletion or opened.fields is None:
        change, coerced = _deletion(key, opened.fields)
        return change, (*enveloped, *coerced), 0
    fields, names = coerce(opened.fields, ITEM_FORMS)
    return _item(fields, latest), (*enveloped, *names, *_coerced(fields)), len(fields.keys() - KNOWN_FIELDS)


def _deletion(key: bytes | None, last: dict[str, Any] | None) -> tuple[Change, tuple[str, ...]]:
    """Return the deletion of the item in the last known fields, else of the one that the key
    names.
    """
    item_id = id_text((last or {}).get("item_id"))
    if isinstance(item_id, str):
        return Deleted(required_id({"item_id": item_id}, "item_id")), ()
    item_id = item_of_key(key)
    return Deleted(item_id), () if item_id.encode() == key else ("key",)


def _withdrawal(value: bytes, rejected: Rejected, latest: float) -> DecodedItem:
    """Return the rejection, with the withdrawal that the record holds in spite of it.

    It would be worse to go on recommending a sold-out item than to read only that of a broken
    record.
    """
    try:
        fields = open_record(value, len(value)).fields
    except Refused:
        fields = None
    if fields is not None and read_availability(stated_availability(fields)) is False:
        item_id = id_text(fields.get("item_id"))
        if type(item_id) is str and 0 < len(item_id) <= MAX_ID_LENGTH:
            names = ("item_id",) if item_id is not fields["item_id"] else ()
            return DecodedItem(
                Withdrawn(item_id, _readable_time(fields, latest)), rejected, (*names, *_coerced(fields))
            )
    return DecodedItem(None, rejected)


def _readable_time(fields: dict[str, Any], latest: float) -> float | None:
    """Return when the item was changed; None if it is the broken field."""
    try:
        return _updated_at(coerce(fields, ITEM_FORMS)[0].get("updated_at"), latest)
    except Refused:
        return None


def _coerced(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the fields of a readable record that have another form than the contract's."""
    stated = stated_availability(fields)
    as_agreed = type(stated) is bool and stated is fields.get("available")
    return () if stated is None or as_agreed else ("available",)


def _item(fields: dict[str, Any], latest: float) -> Item | Withdrawn | Restocked:
    title = _text(fields, "title", MAX_TITLE_LENGTH)
    item = Item(
        item_id=required_id(fields, "item_id"),
        title=title if is_visible(title) else "",
        category=_text(fields, "category", MAX_TITLE_LENGTH),
        brand=_text(fields, "brand", MAX_TITLE_LENGTH),
        description=_text(fields, "description", MAX_TEXT_LENGTH),
        price=_price(fields.get("price")),
        currency=_text(fields, "currency", MAX_ID_LENGTH),
        available=_available(stated_availability(fields)),
        attributes=_attributes(fields.get("attributes")),
        updated_at=_updated_at(fields.get("updated_at"), latest),
        url=_text(fields, "url", MAX_URL_LENGTH),
        image_url=_text(fields, "image_url", MAX_URL_LENGTH),
    )
    # A notice that an item is sold out need not repeat what is known of it.
    if not item.title and not item.available:
        return Withdrawn(item.item_id, item.updated_at)
    if stated_availability(fields) is not None and all(fields.get(name) is None for name in DESCRIPTION):
        return Restocked(item.item_id, item.updated_at)
    # No title is a statement, an empty one a mistake.
    if not item.title and fields.get("title") is not None:
        raise Refused(Reason.MISSING_FIELD, "title shows nothing; leave the field out for an item without a title")
    return item


def _updated_at(value: Any, latest: float) -> float | None:
    if value is None:
        return None
    ts = moment("updated_at", value)
    if ts == 0:  # how databases write that a row never changed
        return None
    if ts < OLDEST_TS:
        raise Refused(Reason.TOO_OLD, f"updated_at {ts} is before 1990")
    # It would keep every later version out.
    check_past("updated_at", ts, latest)
    return ts


def _text(fields: dict[str, Any], name: str, limit: int) -> str:
    value = fields.get(name)
    return "" if value is None else string(name, value, limit).strip()


def _price(value: Any) -> float | None:
    """Return the price, or None if it is unknown; catalogues often write 0 for that."""
    if value is None:
        return None
    price = number("price", value)
    if price < 0:
        raise Refused(Reason.INVALID_VALUE, f"price {price} is negative")
    return price or None


def _available(value: object) -> bool:
    if value is None:
        return True
    available = read_availability(value)
    if available is None:
        raise Refused(Reason.WRONG_TYPE, f"available {shown(value)} is not true or false, nor a word for it")
    return available


def _attributes(value: Any) -> dict[str, object]:
    if value is None:
        return {}
    if type(value) is not dict:
        raise Refused(Reason.WRONG_TYPE, "attributes is not an object")
    return value

"""Kafka bytes to catalogue items: each record is an upsert, a deletion, or a rejection with its reason."""

from dataclasses import dataclass
from typing import Any

from models.contract.event_codec import EventSettings, reject
from models.contract.events import Item, RawBatch
from models.contract.fields import MAX_ID_LENGTH, Refused, moment, number, parse_object, required_id, string
from models.contract.outcome import Reason, Rejected

MAX_TITLE_LENGTH = 2_000
MAX_TEXT_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Deleted:
    """A null value: the shop took the item out of its catalogue."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The shop says no more than that the item is not available; what else is known of it stays."""

    item_id: str


Change = Item | Withdrawn | Deleted


def decode_items(batch: RawBatch, settings: EventSettings) -> list[Change | Rejected]:
    """What each record of the `items` topic says, in offset order."""
    return [_decode(batch, row, settings) for row in range(len(batch))]


def _decode(batch: RawBatch, row: int, settings: EventSettings) -> Change | Rejected:
    key, value = batch.keys[row], batch.values[row]
    try:
        return Deleted(_deleted_id(key)) if value is None else _item(parse_object(value, settings.max_bytes))
    except Refused as refused:
        return reject(batch, row, refused.reason, refused.detail)


def _deleted_id(key: bytes | None) -> str:
    if not key:
        raise Refused(Reason.MISSING_FIELD, "a deletion without a key")
    try:
        return string("key", key.decode())
    except UnicodeDecodeError:
        raise Refused(Reason.INVALID_UTF8, "the key is not UTF-8") from None


def _item(fields: dict[str, Any]) -> Item | Withdrawn:
    item_id = required_id(fields, "item_id")
    title = _text(fields, "title", MAX_TITLE_LENGTH)
    item = Item(
        item_id=item_id,
        title=title,
        category=_text(fields, "category", MAX_TITLE_LENGTH),
        brand=_text(fields, "brand", MAX_TITLE_LENGTH),
        description=_text(fields, "description", MAX_TEXT_LENGTH),
        price=_price(fields.get("price")),
        currency=_text(fields, "currency", MAX_ID_LENGTH),
        available=_available(fields.get("available")),
        attributes=_attributes(fields.get("attributes")),
        updated_at=None if fields.get("updated_at") is None else moment("updated_at", fields["updated_at"]),
    )
    if title:
        return item
    # To go on recommending what is sold out would be worse than to know it without a title.
    if not item.available:
        return Withdrawn(item_id)
    raise Refused(Reason.MISSING_FIELD, "title is missing")


def _text(fields: dict[str, Any], name: str, limit: int) -> str:
    value = fields.get(name)
    return "" if value is None else string(name, value, limit).strip()


def _price(value: Any) -> float | None:
    """A catalogue that does not know a price often says 0."""
    if value is None:
        return None
    price = number("price", value)
    if price < 0:
        raise Refused(Reason.INVALID_VALUE, f"price {price} is negative")
    return price or None


def _available(value: Any) -> bool:
    if value is None:
        return True
    if type(value) is not bool:
        raise Refused(Reason.WRONG_TYPE, "available is not true or false")
    return value


def _attributes(value: Any) -> dict[str, object]:
    if value is None:
        return {}
    if type(value) is not dict:
        raise Refused(Reason.WRONG_TYPE, "attributes is not an object")
    return value

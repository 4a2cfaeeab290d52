"""What a look-up answers beside lists, decoded from raw Redis values without touching Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from headrace import item_fields
from headrace.errors import UnreadableAnswer

COUNTED_AT = "at"  # a key among the counts: the time as of which they are decayed


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What the catalogue says of an item; empty and shown for a shop without a catalogue.

    `quality`, `reasons` and `recommendable` are None where no model judged its text. `repairs` says
    what Headrace changed in the shop's texts.
    """

    item_id: str
    title: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    currency: str | None = None
    url: str | None = None
    image_url: str | None = None
    available: bool = True
    deleted: bool = False
    repairs: tuple[item_fields.RepairFields, ...] = ()
    quality: float | None = None
    reasons: tuple[str, ...] | None = None
    recommendable: bool | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class RecentInteraction:
    """Something the user did; `ts` is event time in seconds since 1970.

    `unknown` is whether there is a catalogue which never had this item.
    """

    item_id: str
    ts: float
    kind: str
    title: str | None = None
    category: str | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class UserHistory:
    """What is remembered of a user: the newest interactions first, and decayed counts by kind."""

    user_id: str
    recent: tuple[RecentInteraction, ...]
    counts: Mapping[str, float]


def decode_item(item_id: str, values: Sequence[bytes | None]) -> CatalogueEntry:
    """A catalogue entry from the values of item_fields.ENTRY_FIELDS, in their order. Raises
    UnreadableAnswer.
    """
    try:
        return CatalogueEntry(item_id, **item_fields.decode_entry(values))
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableAnswer(f"A stored item is not what Headrace writes: {error!r}") from None


def decode_history(user_id: str, recent: bytes | None, counts: bytes | None) -> UserHistory | None:
    """A profile's readable part, or None for a user without a profile. Raises UnreadableAnswer."""
    if recent is None:
        return None
    try:
        rows = tuple(RecentInteraction(item_id, ts, kind) for item_id, ts, kind in orjson.loads(recent))
        stored = orjson.loads(counts or b"{}")
        return UserHistory(user_id, rows, {kind: stored[kind] for kind in stored if kind != COUNTED_AT})
    except (ValueError, TypeError) as error:
        raise UnreadableAnswer(f"A stored profile is not what Headrace writes: {error!r}") from None


def decode_flag(raw: bytes | None) -> bool:
    """A stored truth value, false for a missing key."""
    return raw == b"1"

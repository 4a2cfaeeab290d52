"""Lists as look-ups show them: rows that are JSON already, made with few objects because every
look-up makes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from headrace.errors import UnreadableAnswer

# The version of stored lists that is read, and the field that tells it; a list without one has the
# first. `models.contract.formats` has the same.
LIST_FORMAT, FORMAT_FIELD, FIRST_FORMAT = 1, "format", 1

TRENDING = "trending"
UNREADABLE = "unreadable"
SEMANTIC = "semantic"
CATEGORY = "category"
# What a list needs to know of an item: what it shows, then what decides whether it may be shown.
SHOWN_FIELDS = ("title", "category", "brand", "price", "currency", "url", "image_url")
KNOWN_FIELDS = (*SHOWN_FIELDS, "available", "deleted", "recommendable")

# What is stored of an entry: item id, score, source.
Entry = tuple[str, float, str]
# An entry as JSON has it, with SHOWN_FIELDS as far as the catalogue has them.
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is in a list.

    `because_of` is the item of the user that led to it, with its `title`, if one is known.
    `sessions` is how many of the newest sessions hold both. `rules` are those that moved the item.
    """

    text: str
    because_of: str | None = None
    title: str | None = None
    sessions: int | None = None
    rules: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One entry of a list, best first, with what the catalogue says of it.

    `reason` is there if the look-up asked for it.
    """

    item_id: str
    score: float
    source: str
    title: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    currency: str | None = None
    url: str | None = None
    image_url: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item as lists show it: the fields that it has, whether it may be shown, whether the
    catalogue has it.
    """

    fields: Row
    shown: bool
    known: bool


@dataclass(frozen=True, slots=True)
class StoredList:
    """A user's list as it is stored. The times are seconds since 1970, and None where the trending
    list stands in.
    """

    user_id: str
    entries: Sequence[Entry]
    event_ts: float | None
    generated_at: float | None
    model: str


@dataclass(frozen=True, slots=True)
class RecommendationList:
    """A user's list with the entries that may be shown.

    `extra` is what the options of the look-up add: `next` and `left_out`.
    """

    stored: StoredList
    rows: list[Row]
    extra: Row = field(default_factory=dict)

    @property
    def items(self) -> tuple[ListedItem, ...]:
        """The rows as objects."""
        return listed_items(self.rows)

    def as_json(self) -> bytes:
        """The contract's JSON."""
        stored = self.stored
        return orjson.dumps(
            {
                "user_id": stored.user_id,
                "items": self.rows,
                "event_ts": stored.event_ts,
                "generated_at": stored.generated_at,
                "model": stored.model,
                **self.extra,
            }
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `next` is the mark of the page after it; None at the end."""

    items: Sequence[ListedItem]
    next: str | None

    @classmethod
    def of(cls, found: RecommendationList) -> "Page":
        """Return the page that a look-up found."""
        return cls(found.items, found.extra.get("next"))


def decode_list(raw: bytes) -> StoredList:
    """A stored list. Raises UnreadableAnswer."""
    try:
        stored = orjson.loads(raw)
        _check_format(stored.get(FORMAT_FIELD, FIRST_FORMAT))
        return StoredList(
            user_id=stored["user_id"],
            entries=_entries(stored["items"]),
            event_ts=stored["event_ts"],
            generated_at=stored["generated_at"],
            model=stored["model"],
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableAnswer(f"A stored list is not what Headrace writes: {error!r}") from None


def _check_format(version: int) -> None:
    if version > LIST_FORMAT:
        raise UnreadableAnswer(
            f"lists are stored in format {version}, and this version of Headrace reads up to {LIST_FORMAT}: a newer "
            "one wrote them. Update headrace-client, or the process that serves look-ups"
        )


def decode_similar(raw: bytes | None) -> list[Entry]:
    """An item's stored neighbours, none for a missing key. Raises UnreadableAnswer."""
    try:
        return _entries(orjson.loads(raw)) if raw is not None else []
    except (ValueError, LookupError, TypeError) as error:
        raise UnreadableAnswer(f"Stored neighbours are not what Headrace writes: {error!r}") from None


def decode_near(item_id: str, reply: Any) -> list[Entry]:
    """What the vector set finds near an item, without the item; none where it has no vector."""
    pairs = tuple(reply.items()) if isinstance(reply, Mapping) else decode_ranked(reply or ())
    named = ((name.decode() if isinstance(name, bytes) else name, score) for name, score in pairs)
    # Redis gives (1 + cosine) / 2.
    return [(name, round(2 * float(score) - 1, 6), SEMANTIC) for name, score in named if name != item_id]


def decode_ranked(reply: Sequence[Any]) -> tuple[tuple[str, float], ...]:
    """Members and scores of a sorted set, whether Redis paired them (RESP3) or not (RESP2)."""
    pairs = reply if reply and isinstance(reply[0], list | tuple) else zip(reply[::2], reply[1::2], strict=True)
    return tuple((member.decode(), float(score)) for member, score in pairs)


def decode_known(values: Sequence[bytes | None]) -> KnownItem:
    """An item from the values of KNOWN_FIELDS, in their order. Raises UnreadableAnswer.

    An item of a shop without a catalogue has no fields, and is shown.
    """
    *texts, available, deleted, recommendable = values
    try:
        fields: Row = {name: value.decode() for name, value in zip(SHOWN_FIELDS, texts, strict=True) if value}
        if "price" in fields:
            fields["price"] = float(fields["price"])
    except ValueError as error:
        raise UnreadableAnswer(f"A stored item is not what Headrace writes: {error!r}") from None
    return KnownItem(
        fields,
        shown=available != b"0" and deleted != b"1" and recommendable != b"0",
        known=any(values),
    )


def trending_list(user_id: str, ranked: Iterable[tuple[str, float]]) -> StoredList:
    """The list of a user who has none of their own."""
    entries = [(item_id, score, TRENDING) for item_id, score in ranked]
    return StoredList(user_id, entries, event_ts=None, generated_at=None, model=TRENDING)


def unreadable_list(user_id: str) -> RecommendationList:
    """The list of a user whose stored one cannot be read, among the lists of others."""
    return RecommendationList(StoredList(user_id, (), event_ts=None, generated_at=None, model=UNREADABLE), [])


def shown_rows(entries: Iterable[Entry], known: Mapping[str, KnownItem], k: int, *, known_only: bool) -> list[Row]:
    """The first k entries that may still be shown, each with its item's fields joined in.

    With `known_only`, items that the catalogue lacks are left out.
    """
    rows: list[Row] = []
    for item_id, score, source in entries:
        item = known[item_id]
        if item.shown and (item.known or not known_only):
            rows.append({"item_id": item_id, "score": score, "source": source, **item.fields})
            if len(rows) == k:
                break
    return rows


def listed_items(rows: Iterable[Row]) -> tuple[ListedItem, ...]:
    """The rows as objects."""
    return tuple(
        ListedItem(**row) if "reason" not in row else ListedItem(**{**row, "reason": Reason(**row["reason"])})
        for row in rows
    )


def _entries(rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    return [(row["item_id"], row["score"], row["source"]) for row in rows]

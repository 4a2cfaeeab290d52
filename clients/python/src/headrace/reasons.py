"""Says why an item is in a list, out of what is stored: the list's sources, what the user did
lately, and which items are similar to that.

Nothing of it is stored in the list. A reason names an item only where the stored data lead from it
to the listed one; otherwise it says in general what found the item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from headrace.errors import UnreadableAnswer
from headrace.lists import CATEGORY, SEMANTIC, KnownItem, Reason, Row

# Only the user's latest items can be a reason: as many as the search for neighbours takes by
# default.
LAST_ITEMS = 6
# An older item of the user is a reason if it shares clearly more sessions, as in the formula of
# neighbours.
POSITION_DECAY = 0.6

IN_GENERAL = {
    "neighbours": "in sessions like this one",
    SEMANTIC: "similar in meaning to what was looked at",
    CATEGORY: "trending in a category that was looked at",
    "trending": "trending in the whole shop",
    "session": "looked at in this session",
    "transitions": "others went on to it from items of this session",
    "brand": "like the last item in brand or price",
    "pin": "pinned",
}


@dataclass(frozen=True, slots=True)
class Link:
    """How an item leads to a similar one: what found that, and how many sessions hold both."""

    source: str
    sessions: int


Links = Mapping[str, Mapping[str, Link]]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What reasons may rest on: the user's latest items, the newest first, the links between
    them and listed items, in either direction, and what the catalogue says of all these items.
    """

    recent: Sequence[str]
    links: Links
    known: Mapping[str, KnownItem]


def decode_links(raw: bytes | None) -> dict[str, Link]:
    """Read the links of an item out of its stored similar items. Raises UnreadableAnswer."""
    try:
        rows: Sequence[Mapping[str, Any]] = orjson.loads(raw) if raw is not None else ()
        return {row["item_id"]: Link(row["source"], int(row.get("sessions", 0))) for row in rows}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableAnswer(f"Stored neighbours are not what Headrace writes: {error!r}") from None


def reason_of(row: Row, grounds: Grounds) -> Reason:
    """Return why this row of a list is there."""
    item_id, source = row["item_id"], row["source"]
    if source == SEMANTIC:
        because_of, sessions = _near(item_id, grounds), 0
        said = "similar in meaning"
    elif source in (CATEGORY, "brand"):
        because_of, sessions = _same(source, row, grounds), 0
        said = f"trending in {row.get(CATEGORY)}" if source == CATEGORY else f"of the same brand, {row.get('brand')}"
    elif source in ("neighbours", "transitions"):
        because_of, sessions = _shared(item_id, grounds)
        said = "1 session has both" if sessions == 1 else f"{sessions} sessions have both"
    else:
        because_of, sessions, said = None, 0, ""
    if because_of is None:
        return Reason(IN_GENERAL.get(source, f"found by {source}"))
    title = grounds.known[because_of].fields.get("title")
    return Reason(f"because of {title or because_of}: {said}", because_of, title, sessions or None)


def as_row(reason: Reason) -> dict[str, Any]:
    """Return the reason for JSON, without what is not known."""
    found = {"text": reason.text, "because_of": reason.because_of, "title": reason.title, "sessions": reason.sessions}
    return {name: value for name, value in found.items() if value is not None}


def _links_between(item_id: str, recent: str, grounds: Grounds) -> list[Link]:
    pairs = ((recent, item_id), (item_id, recent))
    return [link for start, end in pairs if (link := grounds.links.get(start, {}).get(end)) is not None]


def _shared(item_id: str, grounds: Grounds) -> tuple[str | None, int]:
    """Return the item of the user that shares most sessions with this one, and how many."""
    best, found, most = None, 0, 0.0
    for place, recent in enumerate(grounds.recent):
        sessions = max((link.sessions for link in _links_between(item_id, recent, grounds)), default=0)
        if recent != item_id and sessions * POSITION_DECAY**place > most:
            best, found, most = recent, sessions, sessions * POSITION_DECAY**place
    return best, found


def _near(item_id: str, grounds: Grounds) -> str | None:
    """Return the newest item of the user to which this one is similar in meaning."""
    for recent in grounds.recent:
        if any(link.source == SEMANTIC for link in _links_between(item_id, recent, grounds)):
            return recent
    return None


def _same(field: str, row: Row, grounds: Grounds) -> str | None:
    """Return the newest item of the user that has the same category, or the last if it has the same
    brand.
    """
    recents = grounds.recent if field == CATEGORY else grounds.recent[:1]
    for recent in recents:
        if row.get(field) and grounds.known[recent].fields.get(field) == row[field]:
            return recent
    return None

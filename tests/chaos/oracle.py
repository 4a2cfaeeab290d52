"""What must be stored after a log, by the documents alone: plain Python that shares no code with
the product.

README ("Sending events", "The quarantine"), docs/architecture.md ("What is guaranteed") and
.env.example are what it is written from. It computes everything at once from the whole log, where
the product adds up.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chaos.records import ITEMS, KIND_OF_TOPIC, Content, Logged, Place, Planned

RECENT_ITEMS = 30
BOUGHT_ITEMS = 200
HALF_LIFE_SECONDS = 30 * 86_400.0
KINDS = tuple(KIND_OF_TOPIC.values())
EMPTY_ITEM: dict[str, Any] = {"title": "", "category": "", "brand": "", "price": None, "currency": ""}


@dataclass(frozen=True, slots=True)
class Event:
    """A valid event as it stands in the log."""

    place: Place
    event_id: str
    user: str
    item_id: str
    kind: str
    ts: float
    session_id: str | None
    time: float  # the broker's


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a user: rows newest first, decayed counts as of `at`, the last offset of
    each source.
    """

    recent: list[tuple[str, float, str]]
    bought: list[tuple[str, float]]
    counts: dict[str, float]
    at: float
    offsets: dict[tuple[str, int], int]


@dataclass(slots=True)
class Expected:
    """What a log leads to; `groups` holds the valid events of each event id, of which exactly one
    counts.
    """

    groups: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    rejected: dict[Place, tuple[str, Logged]] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    unplanned: list[Place] = field(default_factory=list)


def expect(planned: Iterable[Planned], log: Iterable[Logged]) -> Expected:
    """What must become of every record of the source topics."""
    reasons: dict[Content, str] = {each.content: each.reason for each in planned}
    expected = Expected()
    for record in sorted(log, key=lambda each: each.place):
        reason = reasons.get(record.content)
        if reason is None:
            expected.unplanned.append(record.place)
            continue
        if reason:
            expected.rejected[record.place] = (reason, record)
        if record.place.topic == ITEMS:
            _change(expected.items, record, is_broken=bool(reason))
        elif not reason:
            event = event_of(record)
            expected.groups[event.event_id].append(event)
    return expected


def event_of(record: Logged) -> Event:
    """The event in a valid record."""
    said = json.loads(record.value or b"")
    ts = said["ts"]
    return Event(
        place=record.place,
        event_id=said["event_id"],
        user=said.get("user_id") or f"session:{said['session_id']}",
        item_id=said["item_id"],
        kind=KIND_OF_TOPIC[record.place.topic],
        ts=datetime.fromisoformat(ts).timestamp() if isinstance(ts, str) else float(ts),
        session_id=said.get("session_id"),
        time=record.time,
    )


def profiles(accepted: Iterable[Event]) -> Mapping[str, Profile]:
    """The profile of every user of these events, each of which counts once."""
    by_user: dict[str, list[Event]] = defaultdict(list)
    for event in accepted:
        by_user[event.user].append(event)
    return {user: _profile(events) for user, events in by_user.items()}


def _profile(events: list[Event]) -> Profile:
    latest: dict[str, Event] = {}
    bought: dict[str, Event] = {}
    offsets: dict[tuple[str, int], int] = {}
    for event in sorted(events, key=lambda each: each.ts):
        latest[event.item_id] = event
        if event.kind == "order":
            bought[event.item_id] = event
        source = event.place[:2]
        offsets[source] = max(offsets.get(source, -1), event.place.offset)
    at = max(event.ts for event in events)
    counts = dict.fromkeys(KINDS, 0.0)
    for event in events:
        counts[event.kind] += math.pow(0.5, (at - event.ts) / HALF_LIFE_SECONDS)
    newest_first = sorted(latest.values(), key=lambda each: -each.ts)
    orders = sorted(bought.values(), key=lambda each: -each.ts)
    return Profile(
        recent=[(each.item_id, each.ts, each.kind) for each in newest_first[:RECENT_ITEMS]],
        bought=[(each.item_id, each.ts) for each in orders[:BOUGHT_ITEMS]],
        counts=counts,
        at=at,
        offsets=offsets,
    )


def _change(items: dict[str, dict[str, Any]], record: Logged, *, is_broken: bool) -> None:
    """A record replaces the item; a null value deletes it; a notice, even a broken one, only takes
    it off sale.
    """
    if record.value is None:
        items[(record.key or b"").decode()] = EMPTY_ITEM | {"available": False, "deleted": True}
        return
    said = _object(record.value)
    if said is None:
        return
    is_sold_out = said.get("available") is False
    if is_sold_out and (is_broken or not said.get("title")):
        items.setdefault(said["item_id"], {})["available"] = False
    elif not is_broken:
        described = {name: said.get(name, empty) for name, empty in EMPTY_ITEM.items()}
        items[said["item_id"]] = described | {"available": not is_sold_out, "deleted": False}


def _object(value: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(value)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None

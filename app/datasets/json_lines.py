"""Reads events and items from JSON lines. The bytes of a line are not changed.

Only the topic and the key are read from it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.datasets.field import event_time, topic_of
from app.datasets.record import Record, Row, quarantined, user_key
from app.datasets.rows import lines_of
from models.contract.fields import Refused, parse_object, required_id
from models.contract.outcome import Reason


def json_events(path: Path) -> Iterator[Record]:
    """Yield each line as a record for the topic of its `kind`.

    A line that is not an object goes to `views`, for the worker to judge.
    """
    for row in lines_of(path):
        yield _event(row)


def json_items(path: Path) -> Iterator[Record]:
    """Yield each line as a record for `items`, keyed by its `item_id`.

    A line without one goes to quarantine, with the worker's reason.
    """
    for row in lines_of(path):
        yield _item(row)


def _event(row: Row) -> Record:
    try:
        event = _object(row)
    except Refused:
        return Record("views", None, row.content, None, row=row.number)
    kind = event.get("kind")
    topic = topic_of(kind, event.get("rating")) if isinstance(kind, str) else Reason.UNKNOWN_KIND
    if isinstance(topic, Reason):
        return quarantined(row, topic, _misfit(event))
    key = user_key(_text(event, "user_id"), _text(event, "session_id"))
    return Record(topic, key, row.content, event_time(event.get("ts")), row=row.number)


def _item(row: Row) -> Record:
    try:
        item_id = required_id(_object(row), "item_id")
    except Refused as refused:  # a compacted topic refuses records without a key
        return quarantined(row, refused.reason, refused.detail)
    return Record("items", item_id.encode(), row.content, None, row=row.number)


def _object(row: Row) -> dict[str, Any]:
    return parse_object(row.content, len(row.content))  # the worker judges what is too large


def _misfit(event: dict[str, Any]) -> str:
    if "kind" not in event:
        return "kind is missing: view, click, order, cart, fav or rating"
    return f"kind {str(event['kind'])[:64]!r}, rating {str(event.get('rating'))[:64]!r}"


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None

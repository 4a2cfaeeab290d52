"""Events and items from JSON lines: each line's bytes go through untouched, only topic and key are read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from app.datasets.field import event_time, topic_of
from app.datasets.record import Record, Row, quarantined, user_key
from app.datasets.rows import lines_of
from models.outcome import Reason


def json_events(path: Path) -> Iterator[Record]:
    """Each line to the topic of its `kind`; one without, or unreadable, to `views`: the worker judges it."""
    for row in lines_of(path):
        yield _event(row)


def json_items(path: Path) -> Iterator[Record]:
    """Each line to `items`, keyed by its `item_id`; one without goes to quarantine."""
    for row in lines_of(path):
        yield _item(row)


def _event(row: Row) -> Record:
    event = _object(row.content)
    kind = event.get("kind", "view")
    topic = topic_of(kind, event.get("rating")) if isinstance(kind, str) else Reason.UNKNOWN_KIND
    if isinstance(topic, Reason):
        return quarantined(row, topic, f"kind {str(kind)[:64]!r}, rating {str(event.get('rating'))[:64]!r}")
    key = user_key(_text(event, "user_id"), _text(event, "session_id"))
    return Record(topic, key, row.content, event_time(event.get("ts")))


def _item(row: Row) -> Record:
    item_id = _text(_object(row.content), "item_id")
    if not item_id:  # a compacted topic takes no record without a key
        return quarantined(row, Reason.MISSING_FIELD, "no JSON object with a text item_id")
    return Record("items", item_id.encode(), row.content, None)


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None

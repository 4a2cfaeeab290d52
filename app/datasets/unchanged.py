"""Sends JSON objects in Headrace's own form as they are. Only topic and key are read from them."""

from typing import Any

from app.datasets.field import event_time, topic_of
from app.datasets.mapping import KINDS
from app.datasets.record import Record, Row, quarantined, user_key
from models.contract.fields import Refused, required_id
from models.contract.outcome import Reason


def unchanged_event(row: Row) -> Record:
    """Return a row as a record for the topic of its `kind`."""
    event = row.fields or {}
    kind = event.get("kind")
    topic = topic_of(kind, event.get("rating")) if isinstance(kind, str) else Reason.UNKNOWN_KIND
    if isinstance(topic, Reason):
        return quarantined(row, topic, _misfit(event))
    key = user_key(_text(event, "user_id"), _text(event, "session_id"))
    return Record(topic, key, row.content, event_time(event.get("ts")), row=row.number)


def unchanged_item(row: Row) -> Record:
    """Return a row as a record for `items`, keyed by its `item_id`.

    A row without one goes to quarantine, with the worker's reason.
    """
    try:
        item_id = required_id(row.fields or {}, "item_id")
    except Refused as refused:  # a compacted topic refuses records without a key
        return quarantined(row, refused.reason, refused.detail)
    return Record("items", item_id.encode(), row.content, None, row=row.number)


def _misfit(event: dict[str, Any]) -> str:
    if "kind" not in event:
        return f"kind is missing: {', '.join(KINDS[:-1])} or {KINDS[-1]}"
    return f"kind {str(event['kind'])[:64]!r}, rating {str(event.get('rating'))[:64]!r}"


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None

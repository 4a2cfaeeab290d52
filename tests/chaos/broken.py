"""Records that must go to quarantine, each with the reason that the README's table gives."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from chaos.records import ITEMS, Planned

Fields = dict[str, Any]
DAY = 86_400.0


def _without(*names: str) -> Callable[[Fields], Fields]:
    return lambda event: {name: value for name, value in event.items() if name not in names}


def _but(**said: Any) -> Callable[[Fields], Fields]:
    return lambda event: event | said


FIELDS_BROKEN: list[tuple[str, Callable[[Fields], Fields]]] = [
    ("missing_field", _without("event_id")),
    ("missing_field", _without("item_id")),
    ("missing_field", _without("ts")),
    ("no_user", _without("user_id", "session_id")),
    ("wrong_type", _but(item_id=17.5)),
    ("wrong_type", _but(ts=[1])),
    ("empty_id", _but(item_id="")),
    ("field_too_long", _but(item_id="x" * 129)),
    ("invalid_time", _but(ts="2026-13-01T00:00:00Z")),
    ("invalid_time", _but(ts="2026-01-01T00:00:00")),
    ("too_old", _but(ts=86_400)),
    ("from_the_future", lambda event: event | {"ts": event["ts"] + 3 * DAY}),
    ("from_the_future", lambda event: event | {"ts": event["ts"] * 1000}),
    ("invalid_value", _but(quantity=0)),
    ("negative_price", _but(price=-1.0)),
    ("invalid_value", _but(currency="euro")),
]


def broken_event(rng: Random, topic: str, key: bytes, event: Fields) -> Planned:
    """The event, which has a number as `ts`, made unusable in one way."""
    way = rng.randrange(len(FIELDS_BROKEN) + 4)
    whole = json.dumps(event).encode()
    if way < len(FIELDS_BROKEN):
        reason, spoil = FIELDS_BROKEN[way]
        return Planned(topic, key, json.dumps(spoil(event)).encode(), reason)
    reason, value = [
        ("null_value", None),
        ("malformed_json", whole[:-1]),
        ("not_an_object", b"[" + whole + b"]"),
        ("invalid_utf8", whole[:-2] + b"\xff" + whole[-2:]),
    ][way - len(FIELDS_BROKEN)]
    # Without a value nothing else tells one such record from another.
    return Planned(topic, key if value is not None else f"{event['event_id']}".encode(), value, reason)


def broken_item(rng: Random, item: Fields) -> Planned:
    """A record of an item on sale, or, in the last way, a sold-out notice beside a broken field."""
    key = str(item["item_id"]).encode()
    reason, value = rng.choice(
        [
            ("missing_field", json.dumps(item | {"title": "\u200b"})),
            ("wrong_type", json.dumps(item | {"title": 5})),
            ("invalid_value", json.dumps(item | {"price": -3})),
            ("malformed_json", json.dumps(item)[:-1]),
            ("invalid_value", json.dumps(item | {"available": False, "price": -3})),
        ]
    )
    return Planned(ITEMS, key, value.encode(), reason)

"""Reads the values of a file field by field, into the form that the contract wants.

A reader returns None for a value that says that there is none, and what it cannot read unchanged:
the worker judges it.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from app.datasets.cells import EXACT, NO_TEXT, NOTHING, id_of_cell
from app.datasets.field import availability, category_path, number
from app.datasets.mapping import EVENT_TEXTS, FileMapping
from app.datasets.moments import Clock

DECIMAL_COMMA = re.compile(r"-?\d{1,3}(?:[.\s\u00a0\u202f']\d{3})+(?:,\d+)?|-?\d+(?:,\d+)?")
GROUPS = re.compile(r"[.\s\u00a0\u202f']")

Read = Callable[[Any], object]


def event_reads(clock: Clock, mapping: FileMapping) -> dict[str, Read]:
    """Return what reads a value of each field of an event, except its kind."""
    amount = _decimal_comma if mapping.decimal == "," else _number
    reads: dict[str, Read] = {name: _id for name in EVENT_TEXTS}
    amounts = {"price": amount, "quantity": amount, "position": amount}
    return reads | amounts | {"currency": _currency, "ts": clock.read, "cancelled_at": clock.read}


def item_reads(clock: Clock, mapping: FileMapping) -> dict[str, Read]:
    """Return what reads a value of each field of an item."""
    return {
        "item_id": _id,
        **dict.fromkeys(("title", "brand", "description", "url", "image_url"), _plain_text),
        "category": _category,
        "price": _decimal_comma if mapping.decimal == "," else _number,
        "currency": _currency,
        "available": _available,
        "attributes": _json_object,
        "updated_at": lambda value: None if _is_nothing(value) else clock.read(value),
    }


def _number(value: Any) -> object:
    if isinstance(value, str):
        return None if value in NOTHING else number(value)
    return float(value) if isinstance(value, Decimal) else value


def _decimal_comma(value: Any) -> object:
    if isinstance(value, str) and DECIMAL_COMMA.fullmatch(bare := value.strip()):
        return number(GROUPS.sub("", bare).replace(",", "."))
    return _number(value)


def _id(value: Any) -> object:
    """Return an id as text; numbers are written without a point."""
    if isinstance(value, str):
        return id_of_cell(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) < EXACT else value
    is_none = isinstance(value, bool | dict | list) or value != value  # NaN is how tables write an empty cell
    return value if is_none else str(value)


def _plain_text(value: Any) -> object:
    if isinstance(value, str):
        return None if value in NO_TEXT else value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_nothing(value: Any) -> bool:
    return isinstance(value, str) and value in NOTHING


def _available(value: Any) -> object:
    return None if _is_nothing(value) else availability(value) if isinstance(value, str) else value


def _category(value: Any) -> object:
    if isinstance(value, str):
        return None if value in NO_TEXT else category_path(value)
    return _id(value)


def _currency(value: Any) -> object:
    if isinstance(value, str):
        return None if value in NOTHING else value.strip().upper()
    return value


def _json_object(cell: Any) -> object:
    """Return the cell as a JSON object if it is one; any other text unchanged."""
    if not isinstance(cell, str) or cell in NOTHING:
        return None if _is_nothing(cell) else cell
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
    return value if isinstance(value, dict) else cell

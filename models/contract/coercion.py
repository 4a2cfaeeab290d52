"""Turn fields in another form than the contract's into that form, where their meaning is certain.

Only what the contract would refuse comes here, so events in its own form cost nothing more.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from models.contract.fields import Refused
from models.contract.outcome import Reason

Form = Callable[[object], object]

DECIMAL = re.compile(r"\s*([+-]?\d{1,15}(?:\.\d{1,15})?)\s*", re.ASCII)
# 1990 in seconds has nine digits; shorter numbers in text, such as 20251009, are dates.
UNIX_TIME = re.compile(r"\s*(\d{9,19}(?:\.\d{1,15})?)\s*", re.ASCII)
ZONED = re.compile(
    r"\s*(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s+(UTC|GMT|Z|[+-]\d\d:?\d\d)\s*", re.ASCII | re.IGNORECASE
)


def id_text(value: object) -> object:
    """Return a whole number as text, and anything else unchanged.

    >>> id_text(42), id_text(True), id_text(1.5)
    ('42', True, 1.5)
    """
    return str(value) if type(value) is int else value


def plain_number(value: object) -> object:
    """Return the number in a text, and anything else unchanged. A decimal comma is no number.

    >>> plain_number("12.50"), plain_number("12,50")
    (12.5, '12,50')
    """
    if type(value) is str and (found := DECIMAL.fullmatch(value)):
        return float(found[1]) if "." in found[1] else int(found[1])
    return value


def plain_time(value: object) -> object:
    """Return a time in text as seconds or in the form of RFC 3339, and anything else unchanged.

    >>> plain_time("2025-10-09 08:53:20 UTC"), plain_time("1760000000.5")
    ('2025-10-09 08:53:20+00:00', 1760000000.5)
    """
    if type(value) is not str:
        return value
    if found := UNIX_TIME.fullmatch(value):
        return float(found[1])
    if found := ZONED.fullmatch(value):
        zone = found[2] if found[2][0] in "+-" else "+00:00"
        return found[1] + zone
    return value


EVENT_FORMS: Mapping[str, Form] = {
    "event_id": id_text,
    "item_id": id_text,
    "user_id": id_text,
    "session_id": id_text,
    "ts": plain_time,
    "request_id": id_text,
    "price": plain_number,
    "quantity": plain_number,
    "position": plain_number,
    "cancelled_at": plain_time,
}
ITEM_FORMS: Mapping[str, Form] = {
    "item_id": id_text,
    "category": id_text,
    "brand": id_text,
    "price": plain_number,
    "updated_at": plain_time,
}


def coerce(fields: dict[str, Any], forms: Mapping[str, Form]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields in the contract's form, and the names of those that had another one."""
    changed = {name: form(fields[name]) for name, form in forms.items() if name in fields}
    # An unchanged value is the same object.
    names = tuple(name for name, value in changed.items() if value is not fields[name])
    return ({**fields, **changed} if names else fields), names


def refuse_coerced(names: tuple[str, ...], *, strict: bool) -> None:
    """Raise Refused if any field had another form and none is allowed."""
    if strict and names:
        detail = f"not in the contract's form, and HEADRACE_EVENTS_STRICT allows no other: {', '.join(names)}"
        raise Refused(Reason.WRONG_TYPE, detail)

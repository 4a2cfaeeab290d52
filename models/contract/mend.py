"""Mend events that would be refused, where it is plain what was meant, and say what was changed.

It is done only if HEADRACE_EVENTS_REPAIR asks for it, and only to events that are refused, so that
good ones cost nothing.
"""

from typing import Any, NamedTuple

import orjson

from models.contract.events import OLDEST_TS
from models.contract.fields import UNITS, Refused, parse_object, shown
from models.contract.outcome import Reason

MOST_REPAIRS = 4  # tries to read one event
TIMES = (Reason.FROM_THE_FUTURE, Reason.TOO_OLD, Reason.INVALID_TIME)
PRICES = (Reason.ZERO_PRICE, Reason.NEGATIVE_PRICE)
UNIT, ARRIVAL, PRICE, QUANTITY, ENCODING = (
    "time_unit",
    "time_of_arrival",
    "price_left_out",
    "quantity_left_out",
    "event_encoding",
)
EVENT_RULES = (UNIT, ARRIVAL, PRICE, QUANTITY, ENCODING)
OLD_CODEC = "cp1252"  # of programs that do not write UTF-8 yet


class EventRepair(NamedTuple):
    """What a rule made of a field. `reason` is that for which the event would be rejected."""

    field: str
    rule: str
    before: str
    after: str
    confidence: float
    reason: Reason


def readable(value: bytes | None, refused: Refused, most_bytes: int) -> tuple[dict[str, Any], EventRepair] | None:
    """Return the fields of a record in an old encoding; None if that is not its fault."""
    if refused.reason is not Reason.INVALID_UTF8 or value is None:
        return None
    try:
        fields = parse_object(value.decode(OLD_CODEC).encode(), most_bytes)
    except (UnicodeDecodeError, Refused):
        return None
    return fields, EventRepair("", ENCODING, OLD_CODEC, "utf-8", 0.9, refused.reason)


def mend(
    fields: dict[str, Any], refused: Refused, latest: float, arrival: float
) -> tuple[dict[str, Any], EventRepair] | None:
    """Return the fields with one repair of what was refused; None if it is not plain what was
    meant.

    `latest` is the greatest time that is not from the future, and `arrival` that at which the
    broker got the record, both in seconds.
    """
    reason = refused.reason
    if reason in TIMES and refused.detail.startswith("ts "):
        return _with_time(fields, reason, latest, arrival)
    if reason in PRICES:
        return _without(fields, "price", PRICE, reason)
    if reason is Reason.IMPLAUSIBLE_QUANTITY:
        return _without(fields, "quantity", QUANTITY, reason)
    return None


def _with_time(
    fields: dict[str, Any], reason: Reason, latest: float, arrival: float
) -> tuple[dict[str, Any], EventRepair] | None:
    """Read the time in the one unit in which it is possible, else take that of the arrival."""
    before = fields["ts"]
    found = (
        [] if isinstance(before, str) else [before / unit for _, unit in UNITS if OLDEST_TS < before / unit <= latest]
    )
    if len(found) == 1 and reason is Reason.FROM_THE_FUTURE:
        after, rule, confidence = found[0], UNIT, 0.99
    elif OLDEST_TS < arrival <= latest:
        after, rule, confidence = arrival, ARRIVAL, 0.7
    else:
        return None
    return {**fields, "ts": after}, EventRepair("ts", rule, shown(before), str(after), confidence, reason)


def _without(fields: dict[str, Any], name: str, rule: str, reason: Reason) -> tuple[dict[str, Any], EventRepair]:
    kept = {field: value for field, value in fields.items() if field != name}
    return kept, EventRepair(name, rule, shown(fields[name]), "", 0.8, reason)


def encode_event_repairs(repairs: tuple[EventRepair, ...]) -> list[dict[str, object]]:
    """Return the repairs as JSON has them."""
    rows: list[dict[str, object]] = orjson.loads(orjson.dumps([each._asdict() for each in repairs]))
    return rows

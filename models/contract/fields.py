"""Check single fields of a JSON object; a field that is refused has a reason.

Every check raises Refused.
"""

import math
import re
from datetime import UTC, datetime
from typing import Any

import orjson

from models.contract.events import OLDEST_TS
from models.contract.outcome import Reason

MAX_ID_LENGTH = 128
UNITS = (("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9))
LEAP_SECOND = re.compile(r"(.*[T ]\d\d:\d\d):60(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*", re.ASCII)


class Refused(Exception):
    """Carries the reason from a field's check to the loop over a batch, which makes a rejection of
    it.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_object(value: bytes | None, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in a record's value. Raises Refused if there is none."""
    if value is None:
        raise Refused(Reason.NULL_VALUE, "the record has no value")
    if len(value) > max_bytes:
        raise Refused(Reason.TOO_LARGE, f"{len(value)} bytes; at most {max_bytes} are read")
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise _broken(value, error) from None
    if type(event) is not dict:
        raise Refused(Reason.NOT_AN_OBJECT, f"{_json_type(event)} instead of an object")
    return event


def _broken(value: bytes, error: orjson.JSONDecodeError) -> Refused:
    try:
        value.decode()
    except UnicodeDecodeError as invalid:
        return Refused(Reason.INVALID_UTF8, f"{invalid.reason} at byte {invalid.start}")
    return Refused(Reason.MALFORMED_JSON, str(error))


def required_id(event: dict[str, Any], name: str) -> str:
    """Return the id in field `name`: 1 to 128 characters."""
    value = optional_id(event, name)
    if value is None:
        raise Refused(Reason.MISSING_FIELD, f"{name} is missing")
    return value


def optional_id(event: dict[str, Any], name: str) -> str | None:
    """Return the id in field `name`, or None if it is absent or null."""
    value = event.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise Refused(Reason.WRONG_TYPE, f"{name} is {_json_type(value)}, not a string")
    if not value:
        raise Refused(Reason.EMPTY_ID, f"{name} is empty")
    if len(value) > MAX_ID_LENGTH:
        raise Refused(Reason.FIELD_TOO_LONG, f"{name} has {len(value)} characters; at most {MAX_ID_LENGTH}")
    return value


def event_time(event: dict[str, Any], latest: float) -> float:
    """Return field `ts` in seconds since 1970; not before 1990 and not after `latest`."""
    if event.get("ts") is None:
        raise Refused(Reason.MISSING_FIELD, "ts is missing")
    return past_time(event, "ts", latest)


def past_time(event: dict[str, Any], name: str, latest: float) -> float:
    """Return a field in seconds since 1970; not before 1990 and not after `latest`."""
    time = moment(name, event[name])
    if time < OLDEST_TS:
        raise Refused(Reason.TOO_OLD, f"{name} {time} is before 1990")
    check_past(name, time, latest)
    return time


def check_past(name: str, ts: float, latest: float) -> None:
    """Raise Refused for a time after `latest`; the detail names the unit that it may have."""
    if ts > latest:
        raise Refused(Reason.FROM_THE_FUTURE, f"{name} {ts} is after the broker's time{_unit_hint(ts, latest)}")


def _unit_hint(ts: float, latest: float) -> str:
    """Name the unit in which the time would be one that is accepted."""
    for unit, factor in UNITS:
        if OLDEST_TS < ts / factor <= latest:
            return f"; {unit}? divide by {factor:,.0f}, for seconds"
    return ""


def moment(name: str, value: Any) -> float:
    """Return a time in seconds since 1970, read from a number or an RFC 3339 string with a zone."""
    if type(value) is str:
        return _rfc3339(name, value)
    if type(value) not in (int, float):
        raise Refused(Reason.WRONG_TYPE, f"{name} is {_json_type(value)}, not a number or a string")
    return float(value)


def _rfc3339(name: str, text: str) -> float:
    try:
        upper = text.upper()  # RFC 3339 allows t and z, Python only Z
        if leap := LEAP_SECOND.fullmatch(upper):
            return _leap_second(f"{leap[1]}:59{leap[3]}")
        parsed = datetime.fromisoformat(upper)
        if parsed.tzinfo is None:
            raise Refused(Reason.INVALID_TIME, f"{name} {text[:40]!r} has no zone")
        return parsed.timestamp()
    except (ValueError, OverflowError):
        raise Refused(Reason.INVALID_TIME, f"{name} {text[:40]!r} is not an RFC 3339 time") from None


def _leap_second(before: str) -> float:
    """Return the second after `before`, which must be 23:59:59 UTC: a leap second has no number of
    its own since 1970. Raises ValueError at any other time of day.
    """
    parsed = datetime.fromisoformat(before).astimezone(UTC)
    if (parsed.hour, parsed.minute) != (23, 59):
        raise ValueError("a second 60 that is no leap second")
    return parsed.timestamp() + 1


def number(name: str, value: Any) -> float:
    """Return the value if it is a finite number."""
    if type(value) not in (int, float):
        hint = "; write a decimal point, no comma" if type(value) is str and DECIMAL_COMMA.fullmatch(value) else ""
        raise Refused(Reason.WRONG_TYPE, f"{name} is {_json_type(value)}, not a number{hint}")
    if not math.isfinite(value):
        raise Refused(Reason.INVALID_VALUE, f"{name} is not finite")
    return value  # type: ignore[no-any-return]  # narrowed by the exact type check above


def string(name: str, value: Any, limit: int = MAX_ID_LENGTH) -> str:
    """Return the value if it is a string of at most `limit` characters."""
    if type(value) is not str:
        raise Refused(Reason.WRONG_TYPE, f"{name} is {_json_type(value)}, not a string")
    if len(value) > limit:
        raise Refused(Reason.FIELD_TOO_LONG, f"{name} has {len(value)} characters; at most {limit}")
    return value


_JSON_TYPES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
}


def shown(value: object) -> str:
    """Return a value as a detail shows it; nothing of what is in an array or an object."""
    return repr(str(value)[:40]) if isinstance(value, str | int | float) else _json_type(value)


def _json_type(value: object) -> str:
    return _JSON_TYPES.get(type(value), "null")

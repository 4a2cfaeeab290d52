"""Check single fields of a JSON object; a field that is refused has a reason.

Every check raises Refused.
"""

import math
from datetime import datetime
from typing import Any

import orjson

from models.contract.outcome import Reason

MAX_ID_LENGTH = 128
OLDEST_TS = 631_152_000.0  # 1990-01-01T00:00:00Z; an earlier time comes from a clock that was never set


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
    ts = moment("ts", event["ts"])
    if ts < OLDEST_TS:
        raise Refused(Reason.TOO_OLD, f"ts {ts} is before 1990")
    if ts > latest:
        hint = "; milliseconds?" if OLDEST_TS < ts / 1000 <= latest else ""
        raise Refused(Reason.FROM_THE_FUTURE, f"ts {ts} is after the broker's time{hint}")
    return ts


def moment(name: str, value: Any) -> float:
    """Return a time in seconds since 1970, read from a number or an RFC 3339 string with a zone."""
    if type(value) is str:
        return _rfc3339(name, value)
    if type(value) not in (int, float):
        raise Refused(Reason.WRONG_TYPE, f"{name} is {_json_type(value)}, not a number or a string")
    return float(value)


def _rfc3339(name: str, text: str) -> float:
    try:
        parsed = datetime.fromisoformat(text.upper())  # RFC 3339 allows t and z, Python only Z
        if parsed.tzinfo is None:
            raise Refused(Reason.INVALID_TIME, f"{name} {text[:40]!r} has no zone")
        return parsed.timestamp()
    except (ValueError, OverflowError):
        raise Refused(Reason.INVALID_TIME, f"{name} {text[:40]!r} is not an RFC 3339 time") from None


def number(name: str, value: Any) -> float:
    """Return the value if it is a finite number."""
    if type(value) not in (int, float):
        raise Refused(Reason.WRONG_TYPE, f"{name} is {_json_type(value)}, not a number")
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


def _json_type(value: object) -> str:
    return _JSON_TYPES.get(type(value), "null")

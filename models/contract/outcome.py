"""What may become of an event: accepted, a duplicate, or rejected with a reason from a closed list."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an event cannot be accepted; also the metric label and the quarantine header."""

    NULL_VALUE = "null_value"
    TOO_LARGE = "too_large"
    INVALID_UTF8 = "invalid_utf8"
    MALFORMED_JSON = "malformed_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    EMPTY_ID = "empty_id"
    FIELD_TOO_LONG = "field_too_long"
    NO_USER = "no_user"
    INVALID_TIME = "invalid_time"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"
    INVALID_VALUE = "invalid_value"
    UNKNOWN_KIND = "unknown_kind"


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that goes to quarantine: why, in words for a person, where it stood, and its bytes untouched."""

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

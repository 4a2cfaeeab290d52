"""Define the outcomes of an event: accepted, a duplicate, or rejected with a reason."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Names why an event cannot be accepted; also the metric label and the quarantine header."""

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
    FOREIGN_KEY = "foreign_key"
    UNKNOWN_KIND = "unknown_kind"
    WORSE_THAN_BEFORE = "worse_than_before"
    RETURNED = "returned"
    CANCELLATION = "cancellation"
    ZERO_PRICE = "zero_price"
    NEGATIVE_PRICE = "negative_price"
    IMPLAUSIBLE_QUANTITY = "implausible_quantity"
    NON_PRODUCT = "non_product"
    STOCK_REMARK = "stock_remark"
    ROBOT = "robot"
    PRICE_OUTLIER = "price_outlier"


# What can make an accepted event doubtful; in columns of doubts each has its place here plus 1.
DOUBTS = (Reason.ROBOT, Reason.PRICE_OUTLIER, Reason.IMPLAUSIBLE_QUANTITY, Reason.NON_PRODUCT)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Describes a record that goes to quarantine.

    Holds the reason, a detail in words, its position in the source topic, and its unchanged bytes.
    """

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

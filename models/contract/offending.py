"""Names the field for which a record was rejected, from the rejection's reason and words."""

import re

from models.contract.event_codec import KNOWN_FIELDS
from models.contract.outcome import Reason

OF_ITEMS = (
    "title",
    "category",
    "brand",
    "description",
    "available",
    "attributes",
    "updated_at",
    "url",
    "image_url",
)
NAMES = frozenset((*KNOWN_FIELDS, *OF_ITEMS, "kind"))
OF_REASON = {
    Reason.NO_USER: "user_id",
    Reason.FOREIGN_KEY: "user_id",
    Reason.TOO_OLD: "ts",
    Reason.UNKNOWN_KIND: "kind",
    Reason.CANCELLATION: "quantity",
    Reason.NON_PRODUCT: "item_id",
    Reason.WORSE_THAN_BEFORE: "title",
}
WORD = re.compile(r"[a-z_]+")


def offending_field(reason: str, detail: str) -> str:
    """Return the name of the field, or an empty text where a whole record is at fault.

    >>> offending_field("invalid_value", "price -1.0 is not above 0")
    'price'
    >>> offending_field("malformed_json", "unexpected end of data")
    ''
    """
    if reason in OF_REASON:
        return OF_REASON[Reason(reason)]
    first = WORD.match(detail)
    return first[0] if first is not None and first[0] in NAMES else ""

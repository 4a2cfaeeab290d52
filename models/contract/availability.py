"""Read whether an item is on sale, in the words of databases, product feeds and schema.org."""

import re
from typing import Any

# In lower case, without the address of schema.org, only letters and digits.
ON_SALE = frozenset(
    (
        "true", "t", "yes", "y", "on", "instock", "available", "availablefororder", "limitedavailability",
        "limitedstock", "onlineonly", "preorder", "presale", "backorder", "madetoorder",
    )
)  # fmt: skip
NOT_ON_SALE = frozenset(
    (
        "false", "f", "no", "n", "off", "outofstock", "nostock", "notinstock", "soldout", "unavailable",
        "notavailable", "discontinued", "reserved",
    )
)  # fmt: skip
NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?", re.ASCII)
SCHEMA_ORG = re.compile(r"(https?://(www\.)?schema\.org/|schema:)")
NOT_PLAIN = re.compile(r"[^a-z0-9]")


def read_availability(value: object) -> bool | None:
    """Return True if the item may be sold, False if not, None if the value is neither.

    A number is the number of pieces: above 0 means on sale.

    >>> [read_availability(each) for each in ("https://schema.org/OutOfStock", "in stock", 0)]
    [False, True, False]
    >>> read_availability("perhaps") is None
    True
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value > 0
    if not isinstance(value, str):
        return None
    text = value.strip()
    if NUMBER.fullmatch(text):
        return float(text) > 0
    word = NOT_PLAIN.sub("", SCHEMA_ORG.sub("", text.lower(), count=1))
    return True if word in ON_SALE else False if word in NOT_ON_SALE else None


def stated_availability(fields: dict[str, Any]) -> object:
    """Return the field `available`, or `availability` if that can be understood; else None."""
    value = fields.get("available")
    if value is None and read_availability(fields.get("availability")) is not None:
        return fields["availability"]
    return value

"""Translates single cells of a shop's log into the terms of the contract."""

import re
from datetime import datetime
from math import isfinite

from models.contract.availability import read_availability
from models.contract.events import KIND_OF_LABEL, TOPIC_OF_KIND, Kind
from models.contract.outcome import Reason

TOPIC_OF_WORD = {label: TOPIC_OF_KIND[kind] for label, kind in KIND_OF_LABEL.items()} | {
    "fav": TOPIC_OF_KIND[Kind.CLICK]
}
GOOD_RATING = 4.0
DOTTED_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def topic_of(kind: str, rating: object) -> str | Reason:
    """Return the topic of a kind.

    A rating of 4 or more counts as an order, a lower one as a view.
    """
    topic = TOPIC_OF_WORD.get(kind)
    if topic is not None:
        return topic
    if kind != "rating":
        return Reason.UNKNOWN_KIND
    stars = number(rating) if isinstance(rating, str) else rating
    if not isinstance(stars, int | float):
        return Reason.INVALID_VALUE
    return "orders" if stars >= GOOD_RATING else "views"


def number(cell: str) -> float | str:
    """Return the cell as a JSON number if it is one; any other text unchanged.

    >>> number("6"), number("2.50"), number("1,250.00"), number("nan")
    (6, 2.5, '1,250.00', 'nan')
    """
    if cell.isdecimal() and cell.isascii() and len(cell) < 16:
        return int(cell)
    try:
        value = float(cell)
    except ValueError:
        return cell
    return value if isfinite(value) and "_" not in cell else cell


def event_time(ts: object) -> float | None:
    """Return an event's `ts` in seconds since 1970; None if it cannot be read.

    `ts` is a number, or RFC 3339 text with a zone.
    """
    if isinstance(ts, int | float):
        return float(ts)
    if not isinstance(ts, str):
        return None
    try:
        time = datetime.fromisoformat(ts)
    except ValueError:
        return None
    return time.timestamp() if time.tzinfo is not None else None


def availability(cell: str) -> bool | str:
    """Return whether an item may be sold; any other text unchanged, for the worker to judge."""
    available = read_availability(cell)
    return cell if available is None else available


def category_path(cell: str) -> str:
    """Return a category as a path with `/`. Of alternatives (` | `) it takes the first.

    The parts of a path are separated by ` > `, or by dots.

    >>> category_path("Apparel > Topwear"), category_path("auto.accessories")
    ('Apparel/Topwear', 'auto/accessories')
    >>> category_path("Pens | Office")
    'Pens'
    """
    first = cell.split(" | ", maxsplit=1)[0].strip()
    if " > " in first:
        return "/".join(part.strip() for part in first.split(" > "))
    return first.replace(".", "/") if DOTTED_PATH.fullmatch(first) else first

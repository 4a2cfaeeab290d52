"""Tells which cells of a column of CSV are plainly good: the worker's checks would accept them.

A cell that is not plainly good may still be accepted: the worker's checks have to look at it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.cells import NOTHING
from models.contract.availability import read_availability
from models.contract.events import OLDEST_TS
from models.contract.fields import MAX_ID_LENGTH, Refused, moment
from models.contract.item_codec import MAX_TEXT_LENGTH, MAX_TITLE_LENGTH, MAX_URL_LENGTH
from models.contract.typed_event import LARGEST
from models.contract.visible import is_visible

Cells = Sequence[str]
Flags = NDArray[np.bool_]
Read = Callable[[Any], object]
# Takes a column, what reads a cell of it, and the greatest time that is not from the future.
PlainCells = Callable[[Cells, Read, float], Flags]
CURRENCY_LENGTH = 3
NUMBERS = {int, float}


def is_utf8(cells: Cells) -> bool:
    """Whether all cells were UTF-8. Other bytes were read as surrogates, which have no UTF-8."""
    text = "".join(cells)
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def each_value(cells: Cells, is_good: Callable[[str], bool]) -> Flags:
    """Return whether each cell is good; what is there again and again is looked at once."""
    good = {cell: is_good(cell) for cell in set(cells)}
    if all(good.values()):
        return np.ones(len(cells), np.bool_)
    return np.fromiter(map(good.__getitem__, cells), np.bool_, len(cells))


def _text(limit: int, *, is_required: bool = False) -> PlainCells:
    def flags(cells: Cells, read: Read, latest: float) -> Flags:
        lengths = np.fromiter(map(len, cells), np.int64, len(cells))
        good: Flags = (lengths <= limit) & (lengths >= is_required)
        return good if is_utf8(cells) else good & each_value(cells, lambda cell: is_utf8((cell,)))

    return flags


def _read_text(limit: int) -> PlainCells:
    """Of texts that are read into another form, such as categories."""

    def flags(cells: Cells, read: Read, latest: float) -> Flags:
        def is_good(cell: str) -> bool:
            value = read(cell)
            return isinstance(value, str) and len(value) <= limit and is_utf8((value,))

        return each_value(cells, is_good)

    return flags


def _title(cells: Cells, read: Read, latest: float) -> Flags:
    good = _text(MAX_TITLE_LENGTH)(cells, read, latest)
    plain = (not cell or "0" <= cell[0] <= "9" or "A" <= cell[0] <= "Z" or is_visible(cell) for cell in cells)
    return good & np.fromiter(plain, np.bool_, len(cells))


def _time(oldest: float, *, is_required: bool) -> PlainCells:
    def flags(cells: Cells, read: Read, latest: float) -> Flags:
        def is_good(cell: str) -> bool:
            return oldest <= _seconds(read(cell)) <= latest if cell else not is_required

        values = list(map(read, cells))
        if set(map(type, values)) - NUMBERS:
            return each_value(cells, is_good)
        seconds = np.array(values, np.float64)
        good: Flags = (oldest <= seconds) & (seconds <= latest)
        return good

    return flags


def _seconds(value: object) -> float:
    try:
        return moment("ts", value)
    except Refused:
        return float("nan")


def _amount(is_good: Callable[[float], bool]) -> PlainCells:
    def flags(cells: Cells, read: Read, latest: float) -> Flags:
        def is_plain(cell: str) -> bool:
            value = read(cell) if cell else 1
            return isinstance(value, int | float) and value <= LARGEST and is_good(value)

        return each_value(cells, is_plain)

    return flags


def _nothing(cells: Cells, read: Read, latest: float) -> Flags:
    """Of a cell that changes what the row is: one by one."""
    return each_value(cells, lambda cell: not cell)


def _currency(cells: Cells, read: Read, latest: float) -> Flags:
    def is_good(cell: str) -> bool:
        text = str(read(cell))
        return not cell or (len(text) == CURRENCY_LENGTH and text.isascii() and text.isalpha() and text.isupper())

    return each_value(cells, is_good)


def _available(cells: Cells, read: Read, latest: float) -> Flags:
    return each_value(cells, lambda cell: not cell or read_availability(read(cell)) is not None)


def _attributes(cells: Cells, read: Read, latest: float) -> Flags:
    return each_value(cells, lambda cell: not cell or isinstance(read(cell), dict))


def _id(*, is_required: bool = False) -> PlainCells:
    is_text = _text(MAX_ID_LENGTH, is_required=is_required)

    def flags(cells: Cells, read: Read, latest: float) -> Flags:
        good = is_text(cells, read, latest)
        doubtful = NOTHING.intersection(cells) or any("E+" in cell for cell in cells)
        return good & each_value(cells, lambda cell: cell not in NOTHING and "E+" not in cell) if doubtful else good

    return flags


_ID, _NEEDED_ID = _id(), _id(is_required=True)
# A price of 0 is left to the worker's checks: it depends on the kind of the event.
_ABOVE_0, _FROM_0 = _amount(lambda value: value > 0), _amount(lambda value: value >= 0)
EVENT_CELLS: Mapping[str, PlainCells] = {
    **dict.fromkeys(("event_id", "item_id"), _NEEDED_ID),
    **dict.fromkeys(("user_id", "session_id", "request_id", "surface"), _ID),
    "ts": _time(OLDEST_TS, is_required=True),
    "price": _ABOVE_0,
    "quantity": _ABOVE_0,
    "position": _FROM_0,
    "cancelled_at": _nothing,
    "currency": _currency,
}
ITEM_CELLS: Mapping[str, PlainCells] = {
    "item_id": _NEEDED_ID,
    "title": _title,
    "category": _read_text(MAX_TITLE_LENGTH),
    "brand": _text(MAX_TITLE_LENGTH),
    "description": _text(MAX_TEXT_LENGTH),
    "price": _FROM_0,
    "currency": _read_text(MAX_ID_LENGTH),
    "available": _available,
    "attributes": _attributes,
    "updated_at": _time(OLDEST_TS, is_required=False),
    **dict.fromkeys(("url", "image_url"), _text(MAX_URL_LENGTH)),
}
NEEDED: Mapping[str, Collection[str]] = {"events": ("event_id", "item_id", "ts"), "items": ("item_id",)}

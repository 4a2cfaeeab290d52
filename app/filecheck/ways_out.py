"""Finds the option that would make a rejected row readable, from the values of the row."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from shlex import quote
from typing import Any

from app.datasets.json_rows import paths_inside
from app.datasets.mapping import KINDS
from app.datasets.moments import UNITS, as_number
from app.datasets.record import Source
from app.datasets.shapes.known import place_in
from app.datasets.shapes.shape import word
from app.filecheck.advice import ADVICE
from app.filecheck.dates import ZONE, digits_format_for, time_format_for
from app.filecheck.likely_places import likely_places, unnamed
from app.filecheck.rejected import RejectedRow
from models.contract.events import OLDEST_TS
from models.contract.outcome import Reason

UNIT_WORDS = {"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# Days since 1899-12-30, from 1990 to 2064: how a spreadsheet keeps dates.
SHEET_DAYS = (32_874, 60_000)
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
DECIMAL_COMMA = re.compile(r"-?\d{1,3}(?:[.\s\u00a0]\d{3})*,\d{1,2}|-?\d+,\d+")
DECIMAL = re.compile(r"\d+\.\d+")  # ids may be whole numbers, but have no decimals
MONEY = re.compile(r"[^\d\s.,-]")
CORRECT_CLOCK = "correct the clock that wrote these times, or leave the rows out"
EXCHANGED = "columns in each other's place?"
UNIT_AMONG_OTHERS = "times of several units? try --time-unit auto"
MAPPED = re.compile(r"try(?: --map \S+| --map '[^']*')+")
# Words that tools write for a kind, without what is no letter.
KIND_WORDS = {
    "view": ("pageview", "productview", "viewitem", "detail", "viewed", "pv", "impression", "visit", "see", "look"),
    "click": ("selectitem", "clicked", "tap", "open"),
    "cart": ("addtocart", "addtobasket", "basket", "addedtocart", "atc", "carts", "add"),
    "fav": ("favorite", "favourite", "wishlist", "addtowishlist", "like", "bookmark", "save"),
    "order": (
        "purchase",
        "purchased",
        "buy",
        "bought",
        "transaction",
        "checkout",
        "sale",
        "paid",
        "orders",
        "conversion",
    ),
}
KIND_OF_WORD = {text: kind for kind, words in KIND_WORDS.items() for text in (*words, kind)}
LONG_WORD = 6  # shorter ones are also names of things
NOT_A_LETTER = re.compile(r"[^a-z]")


def way_out(rejected: RejectedRow, source: Source, latest: float) -> str:
    """Return what to do so that the row is accepted: an option where one helps, else what to write.

    `latest` is the greatest time, in seconds since 1970, that is not from the future.
    """
    find = WAYS.get(rejected.reason)
    return (find(rejected, source, latest) if find else "") or ADVICE.get(rejected.reason, "")


def for_some_rows(way: str) -> str:
    """Return the way out for a fault of some rows: it must not harm the good ones beside them."""
    if "--time-unit" in way:
        return UNIT_AMONG_OTHERS
    if way.startswith(EXCHANGED):
        return "the cells of these rows are in each other's place: put them in the order of the columns"
    if "--encoding" in way:
        return "these rows are in another encoding than the others: write them in that of the others"
    if MAPPED.fullmatch(way):
        return f"fill the field in, or leave the rows out; where no row has it: {way}"
    return way


def _from_the_future(rejected: RejectedRow, source: Source, latest: float) -> str:
    field = rejected.detail.split(" ", 1)[0]
    ts = _number(rejected.fields.get(field))
    if ts is not None and source.unit == "s" and (way := digits_format_for(ts, _year(latest))):
        return way
    read_as = UNITS.get(source.unit, 1.0)  # times of most shapes are divided already
    for unit, name in UNIT_WORDS.items():
        factor = UNITS[unit] / read_as
        if ts is not None and factor > 1 and OLDEST_TS <= ts / factor <= latest:
            return f"{name}? try --time-unit {unit}"
    return _swapped(field, rejected, source, latest) or CORRECT_CLOCK


def _year(ts: float) -> str:
    return str(datetime.fromtimestamp(ts, UTC).year)


def _too_old(rejected: RejectedRow, source: Source, latest: float) -> str:
    field = rejected.detail.split(" ", 1)[0]
    ts = _number(rejected.fields.get(field))
    if ts is None:
        return ""
    if source.unit == "s" and (way := digits_format_for(ts, _year(latest))):
        return way
    if any(OLDEST_TS <= ts * factor <= latest for factor in UNITS.values()):
        return UNIT_AMONG_OTHERS
    if SHEET_DAYS[0] <= ts <= SHEET_DAYS[1]:
        return f"days of a spreadsheet? format the column as 2023-11-14 22:13:20 before saving, and {ZONE}"
    return _swapped(field, rejected, source, latest)


def _invalid_time(rejected: RejectedRow, source: Source, latest: float) -> str:
    name = rejected.detail.split(" ", 1)[0]
    text = str(rejected.fields.get(name) or "").strip()
    if "has no zone" in rejected.detail:
        return "try --time-zone UTC, or the shop's own such as --time-zone Europe/Berlin"
    return time_format_for(text) or _swapped(name, rejected, source, latest)


def _unknown_kind(rejected: RejectedRow, source: Source, latest: float) -> str:
    column = source.column_of("kind")
    if column not in rejected.fields and "kind is missing" in rejected.detail:
        proposed = likely_places(["kind"], source, tuple(rejected.fields))
        way = f"try --map {quote('kind=' + proposed['kind'])}" if proposed else "try --kind order"
        return f"{way}, or --kind view where all rows are of one kind"
    value = rejected.fields.get(column)
    said = "" if value is None else str(value)
    other = next((name for name, value in rejected.fields.items() if name != column and _is_kind(value)), None)
    if other is not None:
        return _exchange("kind", column, _field_of(other, source), other)
    known = KIND_OF_WORD.get(NOT_A_LETTER.sub("", said.lower()))
    if not said:
        return "fill the kind in, or leave the row out"
    if known is not None:
        return f"try --kind {quote(f'{said}={known}')}"
    return f"try --kind {quote(f'{said}=skip')} to leave such rows out, or view, click, cart or order instead of skip"


def _missing(rejected: RejectedRow, source: Source, latest: float) -> str:
    name = rejected.detail.split(" ", 1)[0]
    column = likely_places([name], source).get(name)
    if column is not None:
        return f"try --map {quote(f'{name}={column}')}"
    # ids are made where no row has one, once it is known where the rest of an event is
    lacking = [each for each in unnamed(source) if each in ("event_id", "ts", "item_id")]
    if name == "event_id" and name in lacking and lacking != [name]:
        found = likely_places(lacking, source)
        places = {each: found.get(each, "COLUMN") for each in lacking if each != name}
        ways = [f"--map {quote(f'{each}={place}')}" for each, place in places.items()]
        return f"ids are made once the other fields are found: try {' '.join(ways)}"
    return ""


def _no_user(rejected: RejectedRow, source: Source, latest: float) -> str:
    proposed = likely_places(["user_id", "session_id"], source)
    ways = " ".join(f"--map {quote(name + '=' + column)}" for name, column in proposed.items())
    return f"try {ways}" if ways else ""


def _wrong_type(rejected: RejectedRow, source: Source, latest: float) -> str:
    name = rejected.detail.split(" ", 1)[0]
    value = rejected.fields.get(name)
    if name in ("ts", "updated_at"):
        return _swapped(name, rejected, source, latest)
    if name in ("event_id", "item_id", "user_id", "session_id"):
        return _id_of_wrong_type(name, rejected, source)
    if name == "available":
        return "write true or false, or map another column: --map available=COLUMN; --map available= for none"
    return _number_of_wrong_type(name, value, rejected, source) if isinstance(value, str) else ""


def _number_of_wrong_type(name: str, value: str, rejected: RejectedRow, source: Source) -> str:
    if DECIMAL_COMMA.fullmatch(value.strip()):
        return "a decimal comma? try --decimal , (until then, 1.250 is read as 1.25)"
    if swapped := _swapped_number(name, rejected, source):
        return swapped
    if MONEY.search(value) and any(map(str.isdigit, value)):
        return "write the number alone, without a currency or a unit, and a point for its decimals (1250.00)"
    return ""


def _id_of_wrong_type(name: str, rejected: RejectedRow, source: Source) -> str:
    column = source.column_of(name)
    value = rejected.fields.get(column if rejected.is_raw else name)
    if isinstance(value, dict):
        place = place_in(name, column, tuple(paths_inside({column: value})))
        if place not in ("", column):
            return f"try --map {quote(f'{name}={place}')}"
        return f"name the text inside the object that is the id: --map {quote(f'{name}={column}.NAME')}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"ids are text: try --map {quote(f'{name}={column}')}, which translates them"
    return ""


def _invalid_value(rejected: RejectedRow, source: Source, latest: float) -> str:
    detail = rejected.detail
    if detail.startswith("quantity"):
        return "nothing was ordered: leave the row out"
    if detail.endswith("is negative"):
        return "leave the field out where its value is not known"
    if detail.startswith("currency"):
        return "write a code such as EUR; --map currency= for none"
    if "a quote is out of place" in detail:
        return 'write a quote inside a cell twice (12"" pan), and put the cell between quotes'
    if "column rating" in detail:
        return "fill the rating in, or name another kind: --kind rating=view"
    return ""


def _swapped(name: str, rejected: RejectedRow, source: Source, latest: float) -> str:
    """Name the field that holds a time instead of `name`, if one does."""
    for other, value in rejected.fields.items():
        if other != name and other in source.places and _is_time(value, latest):
            return _exchange(name, source.column_of(name), other, source.column_of(other))
    return ""


def _swapped_number(name: str, rejected: RejectedRow, source: Source) -> str:
    """Name the field that holds a number instead of `name`, if one does that should be a text."""
    for other in ("title", "item_id", "brand", "category"):
        value = rejected.fields.get(other)
        is_number = isinstance(value, str) and DECIMAL.fullmatch(value.strip())
        if other in source.places and is_number and name in source.places:
            return _exchange(name, source.column_of(name), other, source.column_of(other))
    return ""


def _exchange(field: str, column: str, other: str | None, other_column: str) -> str:
    back = f" --map {quote(f'{other}={column}')}" if other is not None else ""
    return f"{EXCHANGED} try --map {quote(f'{field}={other_column}')}{back}"


def _field_of(column: str, source: Source) -> str | None:
    return next((field for field, columns in source.places.items() if column in columns), None)


def _is_kind(value: Any) -> bool:
    letters = NOT_A_LETTER.sub("", str(value).lower())
    return word(str(value)) in KINDS or (len(letters) >= LONG_WORD and letters in KIND_OF_WORD)


def _is_time(value: Any, latest: float) -> bool:
    number = _number(value)
    if number is not None:
        return any(OLDEST_TS <= number / factor <= latest for factor in UNITS.values())
    return isinstance(value, str) and ISO_TIME.fullmatch(value) is not None


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return as_number(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


WAYS: Mapping[str, Callable[[RejectedRow, Source, float], str]] = {
    Reason.FROM_THE_FUTURE: _from_the_future,
    Reason.TOO_OLD: _too_old,
    Reason.INVALID_TIME: _invalid_time,
    Reason.UNKNOWN_KIND: _unknown_kind,
    Reason.MISSING_FIELD: _missing,
    Reason.NO_USER: _no_user,
    Reason.WRONG_TYPE: _wrong_type,
    Reason.INVALID_VALUE: _invalid_value,
}

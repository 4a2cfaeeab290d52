"""Makes files dirty as people and programs do, and knows what is left after the advice is followed.

Each kind of dirt is a function of a clean file. Where no option helps, it also has a part of the
advice, and the bytes that a user has who follows it.
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from shop_files import RETAILROCKET, RETAILROCKET_PROPERTIES, SECONDS, ShopFile, got

from app.datasets.snowplow_lines import COLUMNS

ONE_A_LINE = "write one JSON object a line"
EVERY = 8
MICROSECONDS = 1_000_000
FORMS = ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%d %H:%M:%S.000", "%Y-%m-%d %H:%M:%S +0000")


@dataclass(frozen=True)
class Dirty:
    """A dirty file, and the clean one that it is made of.

    `mended` is what is left when the `advice` is followed; both are empty where options help.
    `options` are what a user knows who follows advice with an example in it. `harmless` says that
    the file is read as if it was clean.
    """

    content: bytes
    clean: ShopFile
    advice: str = ""
    mended: bytes = b""
    options: str = ""
    harmless: bool = False
    ending: str = ""


def wrong_separator(shop: ShopFile) -> Dirty:
    """Return CSV with a separator that no program writes by itself; JSON without line ends."""
    if shop.written == "json":
        return _mended(shop, "".join(map(shop.line, shop.rows)), ONE_A_LINE)
    if shop.written == "tabs":
        return _mended(shop, shop.text().replace("\t", ";"), "separated by tabs, without quotes")
    return Dirty(shop.text("^").encode(), shop)


def other_unit(shop: ShopFile) -> Dirty:
    """Return times as numbers of another unit than that of the shape."""
    if shop is RETAILROCKET:
        return Dirty(shop.every("ts", _seconds).text().encode(), shop)
    factor = 1000 if shop.of == "events" else MICROSECONDS
    return Dirty(shop.every("ts", lambda ts: _seconds(ts) * factor).text().encode(), shop)


def decimal_commas(shop: ShopFile) -> Dirty:
    clean = RETAILROCKET_PROPERTIES if shop is RETAILROCKET else shop
    return Dirty(clean.every("price", lambda price: str(price).replace(".", ",")).text().encode(), clean)


def swapped_columns(shop: ShopFile) -> Dirty:
    """Return the values of two columns in each other's place in all rows."""
    first, second = shop.swapped
    rows = {n: {first: got(row, shop.at[second]), second: got(row, shop.at[first])} for n, row in enumerate(shop.rows)}
    return Dirty(shop.changed(rows).text().encode(), shop)


def utf_16(shop: ShopFile) -> Dirty:
    return Dirty(_accented(shop).text().encode("utf-16"), _accented(shop), harmless=True)


def latin_1(shop: ShopFile) -> Dirty:
    return Dirty(_accented(shop).text().encode("latin-1"), _accented(shop), harmless=True)


def another_alphabet(shop: ShopFile) -> Dirty:
    clean = shop.every("text", lambda text: f"\u0438\u043c\u044f {text}")
    return Dirty(clean.text().encode("cp1251"), clean, "name its encoding", options="--encoding cp1251")


def byte_order_mark(shop: ShopFile) -> Dirty:
    return Dirty(shop.text().encode("utf-8-sig"), shop, harmless=True)


def missing_header(shop: ShopFile) -> Dirty:
    """Return rows without names. Snowplow's have none, and get some."""
    if shop.written == "tabs":
        return Dirty(("\t".join(COLUMNS) + "\n" + shop.text()).encode(), shop, harmless=True)
    if shop.written == "json":
        text = "".join(orjson.dumps(list(row.values())).decode() + "\n" for row in shop.rows)
        return _mended(shop, text, "with a name for each field")
    return _mended(shop, "\n".join(_lines(shop)[1:]), "write the names of the columns as its first line")


def too_many_cells(shop: ShopFile) -> Dirty:
    lines = _lines(shop)
    if shop.written == "json":
        return _mended(shop, "\n".join([*lines[:5], lines[5] + lines[6], *lines[7:]]), ONE_A_LINE)
    lines[5] += f"{shop.separator}more"
    return _mended(shop, "\n".join(lines), "tab inside a cell" if shop.written == "tabs" else "put quotes around")


def too_few_cells(shop: ShopFile) -> Dirty:
    lines = _lines(shop)
    lines[5] = lines[5][:-9] if shop.written == "json" else lines[5].rpartition(shop.separator)[0]
    advice = {"json": ONE_A_LINE, "tabs": "write all cells, also empty ones", "csv": "write empty cells too"}
    return _mended(shop, "\n".join(lines), advice[shop.written])


def wrong_quoting(shop: ShopFile) -> Dirty:
    """Return a row with a quote in a text, not written twice; JSON as Python prints it."""
    if shop.written == "json":
        return _mended(shop, "".join(f"{row}\n" for row in shop.rows), "with double quotes around names and texts")
    clean = shop.changed({4: {"text": '12" pan'}})
    lines = _lines(clean)
    at = 4 + len(shop.head())
    lines[at] = lines[at].replace('"12"" pan"', '"12" pan"')
    if shop.written == "tabs":  # quotes mean nothing there
        return Dirty("\n".join(lines).encode(), clean, harmless=True)
    return _mended(clean, "\n".join(lines), "write a quote inside a cell twice")


def blank_lines(shop: ShopFile) -> Dirty:
    between = f"\n\n{shop.separator * 3}\n" if shop.written == "csv" else "\n\n"
    return Dirty(("\n" + shop.text().replace("\n", between) + "\n  \n").encode(), shop, harmless=True)


def trailing_columns(shop: ShopFile) -> Dirty:
    end = "  " if shop.written == "json" else shop.separator * 2
    return Dirty(shop.text().replace("\n", end + "\n").encode(), shop, harmless=True)


def mixed_dates(shop: ShopFile) -> Dirty:
    """Return the time of one row in eight as a German sheet writes it."""
    rows = range(0, len(shop.rows), EVERY)
    german = {n: {"ts": datetime.fromtimestamp(SECONDS + n, UTC).strftime("%d.%m.%Y %H:%M:%S")} for n in rows}
    return Dirty(shop.changed(german).text().encode(), shop)


def cut_off(shop: ShopFile) -> Dirty:
    packed = gzip.compress(shop.text().encode())
    return Dirty(packed[:-20], shop, "fetch or compress it again", packed, ending=".gz")


DIRT: Mapping[str, Callable[[ShopFile], Dirty]] = {
    "wrong separator": wrong_separator,
    "another unit of times": other_unit,
    "decimal commas": decimal_commas,
    "swapped columns": swapped_columns,
    "utf-16": utf_16,
    "latin-1": latin_1,
    "another alphabet": another_alphabet,
    "byte order mark": byte_order_mark,
    "missing header": missing_header,
    "too many cells": too_many_cells,
    "too few cells": too_few_cells,
    "wrong quoting": wrong_quoting,
    "blank lines": blank_lines,
    "trailing columns": trailing_columns,
    "mixed dates": mixed_dates,
    "cut off": cut_off,
}


def _mended(clean: ShopFile, text: str, advice: str) -> Dirty:
    return Dirty(text.encode(), clean, advice, clean.text().encode())


def _lines(shop: ShopFile) -> list[str]:
    return [*shop.head(), *map(shop.line, shop.rows)]


def _accented(shop: ShopFile) -> ShopFile:
    return shop.every("text", lambda text: f"Zo\xeb {text}")


def _seconds(ts: Any) -> int:
    for form in FORMS:
        try:
            return int(datetime.strptime(str(ts), form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    return next(int(ts) // unit for unit in (1, 1000, MICROSECONDS) if int(ts) // unit < 2 * SECONDS)

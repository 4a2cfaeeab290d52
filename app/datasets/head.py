"""Tells what is wrong with the first line of a CSV file in which no known column was found."""

import re
from collections import Counter
from itertools import islice
from shlex import quote

from app.datasets.moments import as_number
from app.datasets.rows import NO_LAST_CELL
from app.datasets.table import Table
from app.errors import HeadraceError

LINES_READ = 20
ENOUGH = 0.9
# What stands inside names, words and times, and separates no cells.
NO_SEPARATOR = re.compile(r"[\w\"'.\-+/()\[\]{}<>%@\\\r\n]")
# What no column is called: a time, an address of mail or of a page.
VALUE = re.compile(r"\d{4}-\d\d-\d\d.*|\d\d?[./]\d\d?[./]\d{4}.*|\S+@\S+\.\S+|https?://.*")


def check_head(table: Table) -> None:
    """Raise HeadraceError if the first line is a row, or if its cells are separated otherwise."""
    if table.portions is None or not table.columns:  # no CSV, or an empty file
        return
    if len(table.columns) == 1 and (separator := _likely_separator(table)):
        raise HeadraceError(
            f"{table.path} has one column only, {table.columns[0]!r}; try --separator {_for_shell(separator)}"
        )
    if not "".join(table.columns).isprintable():
        return
    if len(table.columns) == 1:
        raise HeadraceError(
            f"{table.path} has one column only, {table.columns[0]!r}; if its cells are separated by another "
            "character, name it: --separator C"
        )
    if any(as_number(name) is not None or VALUE.fullmatch(name) for name in table.columns):
        raise HeadraceError(
            f"{table.path} begins with a row, where the names of its columns belong; write the names of the columns as "
            "its first line, such as ts,user_id,item_id,kind, or item_id,title,price for items"
        )


def _likely_separator(table: Table) -> str:
    """Return the character that is as often in nearly all rows as in the header; "" if none is."""
    head = table.columns[0]
    if not head.isascii():  # it may be no text at all
        return ""
    rows = [
        row.content.decode(errors="replace") for row in islice(table.rows(NO_LAST_CELL, ()), LINES_READ) if row.content
    ]
    if not rows:
        return ""
    counts = Counter(each for each in head if not NO_SEPARATOR.match(each))
    fitting = [
        each for each, count in counts.items() if sum(row.count(each) == count for row in rows) >= ENOUGH * len(rows)
    ]
    return max(fitting, key=counts.__getitem__, default="")


def _for_shell(separator: str) -> str:
    return quote(separator) if separator.isprintable() else quote(separator.encode("unicode_escape").decode())

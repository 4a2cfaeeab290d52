"""Tells how a CSV file is written: what separates its cells, and how a quote in a cell is written.

The standard library's Sniffer counts characters and takes a comma in most titles for a separator.
This chooses the dialect in which the first rows have as many cells as the header.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
ROWS_READ = 50
NAMED = re.compile(r'"?sep=(.)"?[;,\t]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are separated and quoted. With `escape`, a quote in a cell is written `\\"`.

    With `spaced`, a space follows each separator, and belongs to no cell.
    """

    separator: str = ","
    quote: str = '"'
    escape: bool = False
    spaced: bool = False

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Return a strict reader of these lines. It raises csv.Error for a quote out of place."""
        return csv.reader(
            lines,
            delimiter=self.separator,
            quotechar=self.quote,
            doublequote=True,
            escapechar="\\" if self.escape else None,
            skipinitialspace=self.spaced,
            strict=True,
        )


def named_separator(line: str) -> str:
    """Return the separator that a first line names, as Excel writes it; else an empty text.

    >>> named_separator("sep=;"), named_separator("ts;kind")
    (';', '')
    """
    found = NAMED.fullmatch(line.strip("\ufeff\r\n"))
    return found[1] if found else ""


def dialect_of(text: str, separator: str | None = None) -> Dialect:
    """Return the dialect of a file that begins with `text`; `separator` is used if it is given."""
    lines = text.splitlines(keepends=True)[: ROWS_READ + 1]
    if named := named_separator(next(iter(lines), "")):
        lines, separator = lines[1:], separator or named
    first = next((line for line in lines if line.strip()), "")
    quotes = ("'",) if first.lstrip("\ufeff").startswith("'") else ('"',)
    separators = (separator,) if separator else SEPARATORS
    candidates = [
        Dialect(each, quote, escape)
        for quote in quotes
        for each in separators
        if separator or each in first
        for escape in ((False, True) if "\\" + quote in text else (False,))
    ]
    best = max(candidates, key=lambda each: _fit(each, lines), default=Dialect(separator or ","))
    return replace(best, spaced=_is_spaced(first, best.separator))


def _is_spaced(header: str, separator: str) -> bool:
    names = header.split(separator)[1:]
    return bool(names) and separator != " " and all(name.startswith(" ") for name in names)


def _fit(dialect: Dialect, lines: list[str]) -> tuple[float, int]:
    """Return the share of rows that fit the header, and the number of columns."""
    rows: list[list[str]] = []
    faults = 0
    reader = dialect.reader(iter(lines))
    while True:
        try:
            if row := next(reader, None):
                rows.append(row)
            elif row is None:
                break
        except csv.Error:
            faults += 1
    if not rows:
        return 0.0, 0
    width = len(rows[0])
    fitting = sum(len(row) == width for row in rows[1:])
    filled = sum(1 for name in rows[0] if name.strip())
    return (fitting + 1) / (len(rows) + faults), filled

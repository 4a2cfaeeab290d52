"""Reads rows of CSV files and lines of text files, and keeps their bytes."""

import codecs
import csv
import io
import sys
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, compress, islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.datasets.dialect import Dialect, dialect_of, named_separator
from app.datasets.encoding import encoding_of
from app.datasets.lines import TOO_LONG, TOO_LONG_ROW, LongLine, bounded_lines, bounded_text
from app.datasets.opened import first_bytes, reading
from app.datasets.record import Row
from app.errors import HeadraceError
from models.contract.outcome import Reason

LINES_AT_ONCE = 10_000
# This much of a file tells its encoding and its dialect.
SAMPLE_BYTES = 1 << 18
# Without a limit, a quote that is not closed would make one row of the rest of the file.
LONGEST_ROW_LINES = 100
NOT_A_ROW = f"not a CSV row: a quote is out of place, or not closed within {LONGEST_ROW_LINES} lines"
TOO_MANY = "put quotes around a text or number that holds the separator"
TOO_FEW = "write empty cells too, so that every row has a cell for each column"


class LastCell(NamedTuple):
    """The cell that a row may end after: one of a column, with one of these words.

    The words show that no cell before it is missing.
    """

    column: str
    words: frozenset[str]


NO_LAST_CELL = LastCell("", frozenset())


class TablePortion(NamedTuple):
    """Rows that follow each other. Either all are one line each: their numbers, lines and cells.

    Or `alone` has them, as iterating over the table yields them, with their numbers and bytes.
    """

    numbers: list[int]
    lines: list[str]
    cells: list[list[str]]
    alone: list[tuple[int, bytes, list[str] | str]]


def is_filled(cells: list[str]) -> bool:
    """Return whether a line is a row: a blank one, or one of empty cells, is none."""
    return bool(cells) and (bool(cells[0].strip()) or any(map(str.strip, cells)))


def lines_of(path: Path, encoding: str = "utf-8") -> Iterator[Row]:
    """Yield every line that is not blank, without its line ending and a byte order mark.

    Numbers count lines from 1. Lines in another encoding than UTF-8 are translated into UTF-8.
    """
    with reading(path) as packed:
        file = bounded_lines(packed) if encoding.startswith("utf-8") else _translated(packed, encoding)
        for number, line in enumerate(file, start=1):
            if type(line) is LongLine:
                yield Row(path.name, number, bytes(line), None, (Reason.TOO_LARGE, TOO_LONG))
                continue
            content = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                content = content.removeprefix(codecs.BOM_UTF8)
            if content and not content.isspace():
                yield Row(path.name, number, content)


def _translated(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    with io.TextIOWrapper(file, encoding, errors="replace", newline="\n") as text:
        for line in bounded_text(text, ""):
            yield line.encode() if line else LongLine()


@contextmanager
def csv_table(
    path: Path,
    *,
    required: tuple[str, ...] = (),
    reads: tuple[str, ...] = (),
    encoding: str | None = None,
    dialect: Dialect | None = None,
    last: LastCell | None = None,
) -> Iterator["CsvTable"]:
    """Open a CSV file with a header line. `reads` are the columns that are read if they exist.

    A row that ends early is a row if `last` is None, or if `last` describes its last filled cell.

    The file's beginning tells its encoding and dialect if they are not given. Raises HeadraceError
    when the file lacks a required column, or has one of these columns twice.
    """
    # the contract limits sizes row by row; csv would give up the whole file
    csv.field_size_limit(sys.maxsize)
    start = first_bytes(path, SAMPLE_BYTES)
    encoding = encoding or encoding_of(start, path)
    dialect = dialect or dialect_of(start.decode(encoding, errors="replace"))
    with reading(path) as file:
        # Bytes that are not UTF-8 become surrogates, so that they reach the code that judges the
        # row.
        text = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
        try:
            table = CsvTable(text, dialect, last)
        except csv.Error as error:
            raise HeadraceError(f"{path} begins with a line that is not CSV: {error}; is a quote not closed?") from None
        except UnicodeError as error:
            raise HeadraceError(f"{path} is not {encoding}: {error}; name another one with --encoding") from None
        missing = [name for name in required if name not in table.columns]
        if missing:
            has = f"its first line names {', '.join(table.columns)}" if table.columns else "it is empty"
            raise HeadraceError(f"{path} has no column {' nor '.join(missing)}: {has}")
        repeated = table.repeated.intersection((*required, *reads))
        if repeated:
            raise HeadraceError(f"{path} has more than one column {' and '.join(sorted(repeated))}; rename the others")
        try:
            yield table
        except UnicodeDecodeError as error:
            raise HeadraceError(f"{path} is not {encoding} to its end: {error}; is it whole?") from None


class CsvTable:
    """The rows below the header: a list with a cell for every named column, or why it is no row.

    Columns without a name are ignored. These are no rows:

    - a row with a filled cell behind the last named column: its cells may be in wrong columns;
    - a row with fewer cells than named columns, unless `last` allows it;
    - a line where a quote is out of place or not closed within 100 lines. The next row begins with
      the line after it.

    Raises csv.Error for a header that is not on one line.
    """

    def __init__(self, text: io.TextIOWrapper, dialect: Dialect, last: LastCell | None) -> None:
        self._dialect = dialect
        # what UTF-16 without its mark is written in; the mark was on the first line only
        self._encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(text.encoding, text.encoding)
        self._number = 0
        # a quote out of place: csv refuses the line, whatever is before it
        self._too_long = f"{dialect.quote}too long{dialect.quote}x\n"
        self._text = bounded_text(text, self._too_long)
        self._lines: list[str] = []
        self._again: deque[str] = deque()
        header = self._header()
        names = [(name, at) for at, column in enumerate(header) if (name := column.strip(" \t\r\n\ufeff"))]
        self.columns = dict(names)
        self.repeated = {name for name, count in Counter(name for name, _ in names).items() if count > 1}
        self._width = 1 + max(self.columns.values(), default=-1)
        self._last = last
        self._lines.clear()

    def _header(self) -> list[str]:
        """Return the cells of the first line that is not blank; none if there is no such line."""
        for cells in self._dialect.reader(self._keep()):
            if named_separator(self._lines[0]):
                self._lines.clear()
                continue
            if len(self._lines) > 1:
                raise csv.Error("a name goes on over the end of the line")
            if is_filled(cells):
                return cells
            self._lines.clear()
        return []

    def __iter__(self) -> Iterator[list[str] | str]:
        width = self._width
        while True:
            try:
                for cells in self._dialect.reader(self._keep()):
                    if is_filled(cells):
                        self._number += 1
                        yield cells if len(cells) == width else self.fitted(cells)
                    self._lines.clear()
                return
            except csv.Error:
                self._number += 1
                self._again.extendleft(reversed(self._lines[1:]))
                del self._lines[1:]
                yield TOO_LONG_ROW if self._lines[0] == self._too_long else NOT_A_ROW
                self._lines.clear()

    def portions(self) -> Iterator[TablePortion]:
        """Yield the rows of thousands of lines at once, which is quicker than iterating over them.

        The cells of a row may be more or fewer than `width`.
        """
        while lines := list(islice(self._text, LINES_AT_ONCE)):
            cells = self._one_line_each(lines)
            if cells is None:
                self._again.extend(lines)
                yield TablePortion([], [], [], list(self._until_none_is_put_back()))
                continue
            filled = list(map(is_filled, cells))
            if not all(filled):
                lines, cells = list(compress(lines, filled)), list(compress(cells, filled))
            numbers = list(range(self._number + 1, self._number + 1 + len(cells)))
            self._number += len(cells)
            yield TablePortion(numbers, lines, cells, [])

    def _one_line_each(self, lines: list[str]) -> list[list[str]] | None:
        try:
            rows = list(self._dialect.reader(lines))
        except csv.Error:  # also for a row that goes on behind the last line
            return None
        return rows if len(rows) == len(lines) else None

    def _until_none_is_put_back(self) -> Iterator[tuple[int, bytes, list[str] | str]]:
        for cells in self:
            yield self._number, self.content(), cells
            if not self._again:
                break
        self._lines.clear()

    @property
    def width(self) -> int:
        """Return the number of cells up to the last one that has a named column."""
        return self._width

    def fitted(self, cells: list[str]) -> list[str] | str:
        """Return the cells as many as there are columns, or why they are no row."""
        width = self._width
        filled = max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=0)
        if filled > width:
            return f"{filled} cells where {width} columns have a name: {TOO_MANY}"
        if len(cells) < width and not self._may_end(cells, filled):
            return f"{len(cells)} cells where {width} columns have a name: {TOO_FEW}"
        return cells[:width] + [""] * (width - len(cells))

    def _may_end(self, cells: list[str], filled: int) -> bool:
        if self._last is None:
            return True
        at = self.columns.get(self._last.column, -1)
        return filled == at + 1 and cells[at].strip().lower() in self._last.words

    @property
    def number(self) -> int:
        """Return the number of the row that was yielded last.

        The first row below the header is 1.
        """
        return self._number

    def content(self) -> bytes:
        """Return the bytes of the row that was yielded last, without its line ending."""
        return self.encoded(self._lines[0] if len(self._lines) == 1 else "".join(self._lines))

    def encoded(self, text: str) -> bytes:
        """Return the bytes of a row's text, without its line ending."""
        return text.removesuffix("\n").removesuffix("\r").encode(self._encoding, "surrogateescape")

    def _keep(self) -> Iterator[str]:
        lines = self._lines
        for line in chain(self._put_back(), self._text):
            lines.append(line)
            yield line
            # `lines` is empty again when a row is complete. The end of the iterator makes csv give
            # up an incomplete one.
            if len(lines) == LONGEST_ROW_LINES:
                return

    def _put_back(self) -> Iterator[str]:
        while self._again:
            yield self._again.popleft()

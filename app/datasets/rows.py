"""Reads rows of CSV and JSON-lines files, plain or gzipped, and keeps their bytes."""

import codecs
import csv
import gzip
import io
import sys
import zlib
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from app.datasets.record import Row
from app.errors import HeadraceError

BUFFER_BYTES = 1 << 18
# Without a limit, a quote that is not closed would make one row of the rest of the file.
LONGEST_ROW_LINES = 100
NOT_A_ROW = f"not a CSV row: a quote is out of place, or not closed within {LONGEST_ROW_LINES} lines"
WAY_OUT = "put quotes around a text or number that holds a comma"


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked if its name ends in `.gz`. Its errors become HeadraceError."""
    try:
        with _open(path) as file, io.BufferedReader(cast(io.RawIOBase, file), BUFFER_BYTES) as lines:
            yield cast(BinaryIO, lines)
    except FileNotFoundError as error:
        raise HeadraceError(f"{path} does not exist") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise HeadraceError(f"{path} is damaged or cut off ({error}); fetch or compress it again") from error
    except OSError as error:
        raise HeadraceError(f"{path} cannot be read: {error.strerror or error}") from error


def lines_of(path: Path) -> Iterator[Row]:
    """Yield every line that is not blank, without its line ending and a byte order mark.

    Numbers count lines from 1.
    """
    with reading(path) as file:
        for number, line in enumerate(file, start=1):
            content = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                content = content.removeprefix(codecs.BOM_UTF8)
            if content and not content.isspace():
                yield Row(path.name, number, content)


@contextmanager
def csv_table(
    path: Path, *, required: tuple[str, ...], either: tuple[str, ...] = (), reads: tuple[str, ...] = ()
) -> Iterator["CsvTable"]:
    """Open a CSV file with a header line. `reads` are the columns that are read if they exist.

    Raises HeadraceError when the file lacks a required column, or all of `either`, or has one of
    these columns twice.
    """
    # the contract limits sizes row by row; csv would give up the whole file
    csv.field_size_limit(sys.maxsize)
    with reading(path) as file:
        # Bytes that are not UTF-8 become surrogates, so that they reach the code that judges the
        # row.
        text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
        try:
            table = CsvTable(path.name, text)
        except csv.Error as error:
            raise HeadraceError(f"{path} begins with a line that is not CSV: {error}; is a quote not closed?") from None
        missing = [name for name in required if name not in table.columns]
        if either and not any(name in table.columns for name in either):
            missing.append(" or ".join(either))
        if missing:
            has = f"its first line names {', '.join(table.columns)}" if table.columns else "it is empty"
            raise HeadraceError(f"{path} has no column {' nor '.join(missing)}: {has}")
        repeated = table.repeated.intersection((*required, *either, *reads))
        if repeated:
            raise HeadraceError(f"{path} has more than one column {' and '.join(sorted(repeated))}; rename the others")
        yield table


class CsvTable:
    """The rows below the header: a list with a cell for every named column, or why it is no row.

    Columns without a name are ignored. A row that ends early lacks its last cells. These are no
    rows:

    - a row with a filled cell behind the last named column: its cells may be in wrong columns;
    - a line where a quote is out of place or not closed within 100 lines. The next row begins with
      the line after it.

    Raises csv.Error for a header that is not on one line.
    """

    def __init__(self, name: str, text: io.TextIOWrapper) -> None:
        self._name = name
        self._number = 0
        self._text = text
        self._lines: list[str] = []
        self._again: deque[str] = deque()
        header = next(csv.reader(self._keep(), strict=True), [])
        if len(self._lines) > 1:
            raise csv.Error("a name goes on over the end of the line")
        names = [(column.strip(), at) for at, column in enumerate(header) if column.strip()]
        self.columns = dict(names)
        self.repeated = {name for name, count in Counter(name for name, _ in names).items() if count > 1}
        self._width = 1 + max(self.columns.values(), default=-1)
        self._lines.clear()

    def __iter__(self) -> Iterator[list[str] | str]:
        width = self._width
        while True:
            try:
                for cells in csv.reader(self._keep(), strict=True):
                    if cells:  # a blank line is no row
                        self._number += 1
                        yield cells if len(cells) == width else self._fitted(cells)
                    self._lines.clear()
                return
            except csv.Error:
                self._number += 1
                self._again.extendleft(reversed(self._lines[1:]))
                del self._lines[1:]
                yield NOT_A_ROW
                self._lines.clear()

    def _fitted(self, cells: list[str]) -> list[str] | str:
        width = self._width
        if any(cell.strip() for cell in cells[width:]):
            filled = max(at for at, cell in enumerate(cells, start=1) if cell.strip())
            return f"{filled} cells where {width} columns have a name: {WAY_OUT}"
        return cells[:width] + [""] * (width - len(cells))

    @property
    def number(self) -> int:
        """Return the number of the row that was yielded last.

        The first row below the header is 1.
        """
        return self._number

    def row(self) -> Row:
        """Return the row that was yielded last, as in the file but without its line ending."""
        text = "".join(self._lines).removesuffix("\n").removesuffix("\r")
        return Row(self._name, self._number, text.encode("utf-8", "surrogateescape"))

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

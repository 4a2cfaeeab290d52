"""Rows of CSV and JSON-lines files, plain or gzipped, each with its bytes as they were."""

import codecs
import csv
import gzip
import io
import sys
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from app.datasets.record import Row
from app.errors import HeadraceError

BUFFER_BYTES = 1 << 18
# A quote that nobody closed would make one row of the rest of the file.
LONGEST_ROW_LINES = 100
NOT_A_ROW = f"not a CSV row: a quote is out of place, or not closed within {LONGEST_ROW_LINES} lines"


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked if its name ends in `.gz`; what goes wrong inside becomes a HeadraceError."""
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
    """Every line that is not blank, without its line ending and a byte order mark; numbers count lines from 1."""
    with reading(path) as file:
        for number, line in enumerate(file, start=1):
            content = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                content = content.removeprefix(codecs.BOM_UTF8)
            if content and not content.isspace():
                yield Row(path.name, number, content)


@contextmanager
def csv_table(path: Path, *, required: tuple[str, ...], either: tuple[str, ...] = ()) -> Iterator["CsvTable"]:
    """Open a CSV file with a header line.

    Raises HeadraceError when it lacks a required column, or all of `either`.
    """
    csv.field_size_limit(sys.maxsize)  # the contract limits sizes, row by row; csv would give up the whole file
    with reading(path) as file:
        # Bytes that are not UTF-8 become surrogates, so that they reach whoever judges the row.
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
        yield table


class CsvTable:
    """The rows below the header, lists with a cell for every column.

    A line that begins no row, because a quote is out of place or not closed within 100 lines, is an empty list;
    the next row begins with the line after it. Raises csv.Error for a header that is not on one line.
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
        self.columns = {column.strip(): at for at, column in enumerate(header)}
        self._lines.clear()

    def __iter__(self) -> Iterator[list[str]]:
        width = len(self.columns)
        while True:
            try:
                for cells in csv.reader(self._keep(), strict=True):
                    if cells:  # a blank line is no row
                        self._number += 1
                        yield cells if len(cells) >= width else cells + [""] * (width - len(cells))
                    self._lines.clear()
                return
            except csv.Error:
                self._number += 1
                self._again.extendleft(reversed(self._lines[1:]))
                del self._lines[1:]
                yield []
                self._lines.clear()

    def row(self) -> Row:
        """The row just given, as it stood in the file, without its line ending."""
        text = "".join(self._lines).removesuffix("\n").removesuffix("\r")
        return Row(self._name, self._number, text.encode("utf-8", "surrogateescape"))

    def _keep(self) -> Iterator[str]:
        lines = self._lines
        for line in chain(self._put_back(), self._text):
            lines.append(line)
            yield line
            # `lines` is empty again when the row is complete; the end makes csv give up one that is not.
            if len(lines) == LONGEST_ROW_LINES:
                return

    def _put_back(self) -> Iterator[str]:
        while self._again:
            yield self._again.popleft()

"""Reads rows of CSV files by column name, for commands that have no quarantine."""

import logging
from collections.abc import Iterator
from pathlib import Path

from app.datasets.rows import CsvTable, csv_table
from app.errors import HeadraceError

logger = logging.getLogger(__name__)

ROWS_SHOWN = 3
NOT_UTF8 = "not UTF-8"


class LeftOut:
    """Counts the rows of a file that are left out. Logs the first three."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.count = 0
        self.first = ""

    def add(self, number: int, why: str) -> None:
        """Leave out row `number`."""
        self.count += 1
        self.first = self.first or f"row {number}: {why}"
        if self.count <= ROWS_SHOWN:
            logger.warning("%s, row %d: %s; the row is left out", self._path, number, why)

    def tell(self) -> None:
        """Log the number of rows, if not all of them were logged."""
        if self.count > ROWS_SHOWN:
            logger.warning("%s: %d rows are left out in all", self._path, self.count)


def numbered_rows(
    path: Path, *, required: tuple[str, ...] = (), reads: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield each row's number, from 1, and its cells by column name, or why it cannot be used.

    Raises HeadraceError when the file cannot be read, lacks a required column, or has a column
    twice that is read.
    """
    with csv_table(path, required=required, reads=reads) as table:
        for cells in table:
            yield table.number, _named(table, cells)


def named_rows(path: Path, *, required: tuple[str, ...], reads: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Yield the cells of each row by column name. Rows that cannot be used are left out and logged.

    Raises HeadraceError when the file cannot be read, lacks a required column, or none of its rows
    can be used.
    """
    left_out, used = LeftOut(path), 0
    for number, row in numbered_rows(path, required=required, reads=reads):
        if isinstance(row, str):
            left_out.add(number, row)
            continue
        used += 1
        yield row
    left_out.tell()
    if left_out.count and not used:
        raise HeadraceError(f"{path}: none of its {left_out.count} rows can be used; {left_out.first}")


def _named(table: CsvTable, cells: list[str] | str) -> dict[str, str] | str:
    if isinstance(cells, str):
        return cells
    named = {name: cells[at] for name, at in table.columns.items()}
    return named if all(map(_is_utf8, named.values())) else NOT_UTF8


def _is_utf8(cell: str) -> bool:
    """Return whether the cell was UTF-8.

    Other bytes were read as surrogates, which cannot be encoded.
    """
    if cell.isascii():
        return True
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True

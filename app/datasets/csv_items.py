"""Reads catalogues from CSV.

A column is a field of the contract; an empty cell is an absent field.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from app.datasets.field import availability, category_path, number
from app.datasets.record import Record, quarantined
from app.datasets.rows import CsvTable, csv_table
from models.contract.outcome import Reason

Cell = Callable[[str], object]


def json_object(cell: str) -> object:
    """Return the cell as a JSON object if it is one; any other text unchanged."""
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
    return value if isinstance(value, dict) else cell


# Column, field of the contract, and the function that reads the cell. A row without a title is sent
# without one: the worker decides whether that is enough.
COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("item_id", "item_id", str),
    ("title", "title", str),
    ("category", "category", category_path),
    ("brand", "brand", str),
    ("description", "description", str),
    ("price", "price", number),
    ("currency", "currency", str),
    ("availability", "available", availability),
    ("available", "available", availability),
    ("attributes", "attributes", json_object),
    ("updated_at", "updated_at", number),
)


def csv_items(path: Path) -> Iterator[Record]:
    """Yield each row as an item of the contract, keyed by its id.

    Rows without an id go to quarantine unchanged. Raises HeadraceError when the file cannot be read
    or has no column `item_id`.
    """
    with csv_table(path, required=("item_id",), reads=tuple(name for name, _, _ in COLUMNS)) as table:
        present = [(field, table.columns[name], read) for name, field, read in COLUMNS if name in table.columns]
        for cells in table:
            if isinstance(cells, str):
                yield quarantined(table.row(), Reason.INVALID_VALUE, cells)
                continue
            yield _record({field: read(cell) for field, at, read in present if (cell := cells[at])}, table)


def _record(item: dict[str, object], table: CsvTable) -> Record:
    if "item_id" not in item:  # a compacted topic refuses records without a key
        return quarantined(table.row(), Reason.MISSING_FIELD, "item_id is missing")
    try:
        value = orjson.dumps(item)
    except orjson.JSONEncodeError:  # orjson refuses only text that was not UTF-8
        return quarantined(table.row(), Reason.INVALID_UTF8, "the row is not UTF-8")
    return Record("items", str(item["item_id"]).encode(), value, None, row=table.number)

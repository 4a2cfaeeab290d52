"""Reads catalogue files as shops export them: CSV or JSON lines, plain or gzipped."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.datasets.named_rows import named_rows
from app.datasets.rows import lines_of
from app.errors import HeadraceError
from models.quality.defect import ItemText
from models.training.quality_catalogue import Entry

FIELDS = ("title", "category", "brand")
ADVICE = "use .csv or .jsonl, gzipped or not, with the columns item_id, title and, where known, category and brand"


def read_entries(path: Path) -> list[Entry]:
    """Return the rows of a file. A folder stands for the `items.csv.gz` in it.

    Rows of a CSV file that cannot be used, such as one with too many cells, are left out and
    logged. Raises HeadraceError for a file that is missing, of another kind, or without a column of
    titles.
    """
    path = path / "items.csv.gz" if path.is_dir() else path
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        read = _csv_rows
    elif name.endswith((".jsonl", ".ndjson")):
        read = _json_rows
    else:
        raise HeadraceError(f"{path} is no catalogue file; {ADVICE}")
    try:
        return [_entry(row) for row in read(path)]
    except HeadraceError as error:
        raise HeadraceError(f"{path} cannot be read: {error}; {ADVICE}") from error


def catalogue_name(path: Path) -> str:
    """Return the catalogue's name in reports: the file's name, or its folder's for `items`."""
    stem = path.name.split(".")[0]
    return path.resolve().parent.name if stem == "items" else stem


def _csv_rows(path: Path) -> Iterator[Mapping[str, object]]:
    return named_rows(path, required=("title",), reads=(*FIELDS, "price"))


def _json_rows(path: Path) -> Iterator[Mapping[str, object]]:
    for row in lines_of(path):
        try:
            entry = json.loads(row.content)
        except ValueError as error:
            raise HeadraceError(f"line {row.number} is not JSON: {error}") from error
        if not isinstance(entry, dict) or "title" not in entry:
            raise HeadraceError(f"line {row.number} has no `title`")
        yield entry


def _entry(row: Mapping[str, object]) -> Entry:
    title, category, brand = (str(row.get(field) or "") for field in FIELDS)
    return Entry(ItemText(title, category, brand), bool(row.get("price")))

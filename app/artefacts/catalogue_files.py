"""Catalogue files as shops export them: CSV or JSON lines, plain or gzipped."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.errors import HeadraceError
from models.quality.defect import ItemText
from models.training.quality_catalogue import Entry

FIELDS = ("title", "category", "brand")
ADVICE = "use .csv or .jsonl, gzipped or not, with the columns item_id, title and, where known, category and brand"


def read_entries(path: Path) -> list[Entry]:
    """The file's rows; a folder stands for the `items.csv.gz` in it.

    Raises HeadraceError for a file that is missing, of another kind, or without titles column.
    """
    path = path / "items.csv.gz" if path.is_dir() else path
    try:
        text = _text(path)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise HeadraceError(f"{path} cannot be read: {error}; {ADVICE}") from error
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        rows = _csv_rows(path, text)
    elif name.endswith((".jsonl", ".ndjson")):
        rows = _json_rows(path, text)
    else:
        raise HeadraceError(f"{path} is no catalogue file; {ADVICE}")
    return [_entry(row) for row in rows]


def catalogue_name(path: Path) -> str:
    """What the catalogue is called in reports: the file's name, or its folder's when that is only `items`."""
    stem = path.name.split(".")[0]
    return path.resolve().parent.name if stem == "items" else stem


def _text(path: Path) -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()


def _csv_rows(path: Path, text: str) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if "title" not in (reader.fieldnames or ()):
        raise HeadraceError(f"{path} has no column `title`; {ADVICE}")
    yield from reader


def _json_rows(path: Path, text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise HeadraceError(f"{path}, line {number} is not JSON: {error}; {ADVICE}") from error
        if not isinstance(row, dict) or "title" not in row:
            raise HeadraceError(f"{path}, line {number} has no `title`; {ADVICE}")
        yield row


def _entry(row: dict[str, Any]) -> Entry:
    title, category, brand = (str(row.get(field) or "") for field in FIELDS)
    return Entry(ItemText(title, category, brand), bool(row.get("price")))

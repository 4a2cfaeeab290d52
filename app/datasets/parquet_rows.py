"""Reads Parquet, with the packages of the extra `parquet`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from app.errors import HeadraceError

ROWS_AT_ONCE = 10_000


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the columns. Raises HeadraceError when the file cannot be read."""
    with _opened(path) as file:
        return tuple(file.schema_arrow.names)


def parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each row's number, from 1, and its values by column.

    Raises HeadraceError when the file cannot be read.
    """
    with _opened(path) as file:
        number = 0
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            for fields in batch.to_pylist():
                number += 1
                yield number, fields


def as_bytes(fields: dict[str, Any]) -> bytes:
    """Return a row as JSON, for quarantine: Parquet has no bytes of a row."""
    return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS)


def _opened(path: Path) -> Any:
    try:
        import pyarrow.parquet  # type: ignore[import-untyped]  # ships no types
    except ImportError as error:
        raise HeadraceError(f"{path} is Parquet, which needs more packages: pip install 'headrace[parquet]'") from error
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise HeadraceError(f"{path} cannot be read as Parquet: {error}") from error

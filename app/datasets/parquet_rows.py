"""Reads Parquet, with the packages of the extra `parquet`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from app.errors import HeadraceError, install_line

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
        for batch in _batches(file, path):
            for fields in batch.to_pylist():
                number += 1
                yield number, fields


def as_bytes(fields: dict[str, Any]) -> bytes:
    """Return a row as JSON, for quarantine: Parquet has no bytes of a row."""
    return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS)


def _batches(file: Any, path: Path) -> Iterator[Any]:
    """Yield the rows in portions. Bytes are texts: older writers do not say which are."""
    from pyarrow import (  # type: ignore[import-untyped]  # ships no types
        ArrowException,
        binary,
        large_binary,
        string,
    )

    texts = [
        name
        for name, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True)
        if kind in (binary(), large_binary())
    ]
    try:
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            columns = [
                column.cast(string()) if name in texts else column
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield type(batch).from_arrays(columns, names=batch.schema.names)
    except (ArrowException, OSError) as error:
        raise HeadraceError(f"{path} cannot be read as Parquet: {error}") from error


def _opened(path: Path) -> Any:
    try:
        import pyarrow.parquet  # type: ignore[import-untyped]  # ships no types
    except ImportError as error:
        raise HeadraceError(f"{path} is Parquet, which needs more packages; {install_line('parquet')}") from error
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise HeadraceError(f"{path} cannot be read as Parquet: {error}") from error

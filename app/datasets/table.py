"""Opens a file as rows of named values, whatever it is written in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.datasets.dialect import NAMES, dialect_of
from app.datasets.encoding import checked, encoding_of
from app.datasets.json_rows import begins_as_lines, json_array, json_portions, paths_inside
from app.datasets.mapping import FileMapping
from app.datasets.opened import first_bytes, foreign, packing
from app.datasets.parquet_rows import as_bytes, parquet_columns, parquet_rows
from app.datasets.record import Portion, Row
from app.datasets.rows import NO_LAST_CELL, SAMPLE_BYTES, CsvTable, LastCell, TablePortion, csv_table, lines_of
from app.datasets.snowplow_lines import COLUMNS, is_snowplow, snowplow_lines
from app.errors import HeadraceError
from models.contract.fields import Refused, parse_object
from models.contract.outcome import Reason

PARQUET = b"PAR1"
ROWS_SAMPLED = 200
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
ENDINGS = (".csv", ".tsv", ".txt", *JSON_ENDINGS, ".parquet")
PACKED = ("", ".gz", ".zst", ".zstd")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows and its columns: of the header, or of the first rows.

    `rows` takes where a short row may end (see `csv_table`), and the columns that are read.
    `portions` does, too; it is None if the file cannot be read in portions. `is_json` says that the
    bytes of a row are a JSON object; `inside` are then the paths of plain values inside objects.
    """

    path: Path
    written: str
    columns: tuple[str, ...]
    rows: Callable[[LastCell, tuple[str, ...]], Iterator[Row]]
    is_json: bool = False
    portions: Callable[[LastCell, tuple[str, ...]], Iterator[Portion]] | None = None
    inside: tuple[str, ...] = ()


def open_table(path: Path, mapping: FileMapping) -> Table:
    """Return the file as a table. Its content tells how it is written.

    Raises HeadraceError when it cannot be read.
    """
    start = first_bytes(path, SAMPLE_BYTES)
    if what := foreign(start):
        raise HeadraceError(f"{path} is {what}")
    packed = packing(path)
    if start.startswith(PARQUET):
        return Table(path, "Parquet", parquet_columns(path), lambda last, reads: _parquet(path))
    encoding = checked(mapping.encoding) if mapping.encoding else encoding_of(start, path)
    text = start.decode(encoding, errors="replace")
    if _is_json(path, text):
        return _json(path, text, encoding, packed)
    if is_snowplow(text):
        written = _written("tabs without a header", "", encoding, packed)
        return Table(path, written, COLUMNS, lambda last, reads: snowplow_lines(path, encoding))
    dialect = dialect_of(text, mapping.separator or None)
    with csv_table(path, encoding=encoding, dialect=dialect) as table:
        columns = tuple(table.columns)

    def rows(last: LastCell, reads: tuple[str, ...]) -> Iterator[Row]:
        with csv_table(path, reads=reads, encoding=encoding, dialect=dialect, last=last) as table:
            row = _row_maker(path.name, table)
            for cells in table:
                yield row(table.number, table.content(), cells)

    def portions(last: LastCell, reads: tuple[str, ...]) -> Iterator[Portion]:
        with csv_table(path, reads=reads, encoding=encoding, dialect=dialect, last=last) as table:
            row = _row_maker(path.name, table)
            for part in table.portions():
                yield _portion(part, table, row)

    separated = NAMES.get(dialect.separator, repr(dialect.separator))
    written = _written("CSV", f"separated by {separated}", encoding, packed)
    return Table(path, written, columns, rows, portions=portions)


def _row_maker(name: str, table: CsvTable) -> Callable[[int, bytes, list[str] | str], Row]:
    names, places = list(table.columns), list(table.columns.values())
    is_whole = places == list(range(len(places)))

    def row(number: int, content: bytes, cells: list[str] | str) -> Row:
        if isinstance(cells, str):
            return Row(name, number, content, None, (Reason.INVALID_VALUE, cells))
        named = zip(names, cells if is_whole else [cells[at] for at in places], strict=True)
        return Row(name, number, content, dict(named))

    return row


def _portion(part: TablePortion, table: CsvTable, row: Callable[[int, bytes, list[str] | str], Row]) -> Portion:
    numbers, lines, rows, alone = part
    odd = [row(*each) for each in alone]
    width = table.width
    if set(map(len, rows)) - {width}:
        fitted = [cells if len(cells) == width else table.fitted(cells) for cells in rows]
        misfits = [at for at, cells in enumerate(fitted) if isinstance(cells, str)]
        odd += [row(numbers[at], table.encoded(lines[at]), fitted[at]) for at in misfits]
        kept = [at for at, cells in enumerate(fitted) if not isinstance(cells, str)]
        numbers, lines = [numbers[at] for at in kept], [lines[at] for at in kept]
        rows = [cells for cells in fitted if not isinstance(cells, str)]
    return Portion(
        numbers, lambda at: row(numbers[at], table.encoded(lines[at]), rows[at]), rows, table.columns, [], odd
    )


def stem_of(path: Path) -> str | None:
    """Return a file's name without the endings of data files; None if it has none of them."""
    for ending in ENDINGS:
        for packed in PACKED:
            if path.name.lower().endswith(ending + packed):
                return path.name[: -len(ending + packed)]
    return None


def _is_json(path: Path, text: str) -> bool:
    bare = text.lstrip("\ufeff \t\r\n")
    names_json = any(path.name.lower().endswith(ending + packed) for ending in JSON_ENDINGS for packed in PACKED)
    return names_json or bare.startswith(("{", "[{", "[\n", "[\r"))


def _json(path: Path, text: str, encoding: str, packed: str) -> Table:
    is_lines = begins_as_lines(text.encode(errors="replace"))
    read: Callable[[Path, str], Iterator[Row]] = lines_of if is_lines else json_array

    def rows(last: LastCell = NO_LAST_CELL, reads: tuple[str, ...] = ()) -> Iterator[Row]:
        for row in read(path, encoding):
            yield _parsed(row)

    columns: dict[str, None] = {}
    inside: dict[str, None] = {}
    for row in islice(rows(), ROWS_SAMPLED):
        columns |= dict.fromkeys(row.fields or ())
        inside |= dict.fromkeys(paths_inside(row.fields or {}))
    is_plain = is_lines and encoding.startswith("utf-8")
    portions = (lambda last, reads: json_portions(path, _parsed)) if is_plain else None
    written = _written("JSON lines" if is_lines else "a JSON array", "", encoding, packed)
    return Table(path, written, tuple(columns), rows, True, portions, tuple(inside))


def _parsed(row: Row) -> Row:
    if row.fault is not None:
        return row
    try:
        fields = parse_object(row.content, len(row.content))  # the worker judges what is too large
        return Row(row.file, row.number, row.content, fields)
    except Refused as refused:
        return Row(row.file, row.number, row.content, None, (refused.reason, refused.detail))


def _parquet(path: Path) -> Iterator[Row]:
    for number, fields in parquet_rows(path):
        yield Row(path.name, number, as_bytes(fields), fields)


def _written(what: str, how: str, encoding: str, packed: str) -> str:
    unusual = "" if encoding in ("utf-8", "utf-8-sig") else encoding
    return ", ".join(filter(None, [f"{what} {how}".strip(), unusual, packed]))

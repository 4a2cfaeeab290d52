"""Recognises one file, and makes it a source of records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote

from app.datasets.head import check_head
from app.datasets.mapping import FileMapping
from app.datasets.moments import AUTO
from app.datasets.record import LeaveOut, Portions, Record, Row, Source, quarantined
from app.datasets.rows import NO_LAST_CELL, LastCell
from app.datasets.shapes.known import EVENTS, ITEMS, ITEMS_PREFIX, proposals, shape_of, shapes_named
from app.datasets.shapes.shape import Shape, one_each
from app.datasets.table import ROWS_SAMPLED, Table, open_table
from app.datasets.translate import Translator, records
from app.datasets.unchanged import unchanged_event, unchanged_item
from app.errors import HeadraceError


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file and its shape."""

    table: Table
    shape: Shape


def recognised(path: Path, mapping: FileMapping) -> Recognised | None:
    """Return the file with its shape, or None if its columns are not those of a known shape.

    Raises HeadraceError when the file cannot be read, or has not the shape that the mapping names.
    """
    table = open_table(path, mapping)
    shape = _shape(table, mapping)
    return None if shape is None else Recognised(table, shape)


def required(path: Path, mapping: FileMapping) -> Recognised:
    """Return the file with its shape. Without a known one, it is read as Headrace's own form.

    Raises HeadraceError when the file cannot be read, or lacks a column without which no row could
    be accepted; it proposes columns.
    """
    table = open_table(path, mapping)
    shape = _shape(table, mapping) or _own_form(table, mapping)
    if not table.is_json:
        _check_mapped(table, shape, mapping)
        if shape.name == "headrace":
            _check_columns(table, shape, mapping)
    return Recognised(table, shape)


def _shape(table: Table, mapping: FileMapping) -> Shape | None:
    name = table.path.name
    if mapping.format == AUTO:
        return shape_of(table.columns, name)
    named = shapes_named(mapping.format)
    if mapping.format == "headrace":
        return _own_form(table, mapping)
    found = next((shape for shape in named if shape.fits(table.columns)), None)
    if found is None:
        check_head(table)
        wanted = " or ".join(", ".join(sorted(mark)) for shape in named for mark in shape.marks)
        raise HeadraceError(
            f"{table.path} has not the columns of {mapping.format}: expected {wanted}; "
            f"found {', '.join(table.columns) or 'none'}"
        )
    return found


def _own_form(table: Table, mapping: FileMapping) -> Shape:
    has = {*table.columns, *mapping.columns}
    if table.path.name.startswith(ITEMS_PREFIX) or ("title" in has and "kind" not in has and not mapping.kind):
        return ITEMS
    return EVENTS


def _check_mapped(table: Table, shape: Shape, mapping: FileMapping) -> None:
    for name, column in mapping.columns.items():
        if column and column not in table.columns and shape.explode is one_each:
            check_head(table)
            raise HeadraceError(
                f"{table.path} has no column {column}, which was named for {name}: "
                f"its first line names {', '.join(table.columns)}"
            )


def _check_columns(table: Table, shape: Shape, mapping: FileMapping) -> None:
    has = set(table.columns) | {name for name, column in mapping.columns.items() if column}
    if any(not name.isprintable() or "\ufffd" in name for name in table.columns):
        check_head(table)  # a control character may separate the cells
        raise HeadraceError(f"{table.path} is no text, or in another encoding; name it with --encoding, such as utf-16")
    needed = ("item_id",) if shape is ITEMS else ("ts", "item_id", *(() if mapping.kind else ("kind",)))
    missing = [name for name in needed if name not in has]
    if shape is EVENTS and not has & {"user_id", "session_id"}:
        missing.append("user_id or session_id")
    if not missing:
        return
    check_head(table)
    names = f"its first line names {', '.join(table.columns)}" if table.columns else "it is empty"
    fields = [name for each in missing for name in each.split(" or ")]
    proposed = proposals(fields, table.columns, set(shape.fields) & set(table.columns))
    if "user_id" in proposed:
        proposed.pop("session_id", None)
    ways = [f"--map {quote(f'{name}={column}')}" for name, column in proposed.items()]
    unknown = [each.split(" or ")[0] for each in missing if each != "kind" and not {*each.split(" or ")} & {*proposed}]
    ways += [f"--map {name}=COLUMN" for name in unknown]
    if "kind" in missing and "kind" not in proposed:
        rated = "rating" in has
        one_kind = "--map kind=COLUMN (or --kind order, where all rows are of one kind)"
        ways.append("--kind rating" if rated else one_kind)
    way_out = f"; try {' '.join(ways)}" if ways and table.columns else ""
    raise HeadraceError(f"{table.path} has no column {' nor '.join(missing)}: {names}{way_out}")


def source_of(files: Sequence[Recognised], mapping: FileMapping) -> Source:
    """Return a source of the records of one file, or of several files that are one table.

    Raises HeadraceError when a file has a column twice that is read.
    """
    table, shape = files[0].table, files[0].shape
    own = shape.name == "headrace"
    places = {**shape.fields, **{name: (column,) if column else () for name, column in mapping.columns.items()}}
    # In Headrace's own form a missing id is a fault of the row, unless no row has one.
    has_ids = any(column in table.columns for column in places.get("event_id", ()))
    fits = (
        not own
        or not table.is_json
        or shape.fits({*table.columns, *mapping.columns, *({"kind"} if mapping.kind else ())})
    )
    derived = shape.of == "events" and fits and not (own and has_ids)
    is_unchanged = own and table.is_json and not derived and mapping.says_nothing_of_rows
    columns = None if table.is_json or shape.explode is not one_each else frozenset(table.columns)
    reads = tuple(column for names in places.values() for column in names)
    kinds = frozenset({*shape.kinds, *mapping.kinds})
    last = LastCell(next(iter(places.get("kind", ())), ""), kinds) if own and shape.of == "events" else NO_LAST_CELL

    translator = None if is_unchanged else Translator(shape, mapping, derived=derived, columns=columns)

    def rows() -> Iterator[Row]:
        for each in files:
            yield from each.table.rows(last, reads)

    def of_rows(some: Iterator[Row], leave_out: LeaveOut) -> Iterator[Record]:
        if translator is not None:
            yield from records(some, shape, translator, leave_out)
            return
        as_record = unchanged_event if shape.of == "events" else unchanged_item
        for row in some:
            yield quarantined(row, *row.fault) if row.fault is not None else as_record(row)

    in_portions = table.portions
    readers = None if translator is None or table.is_json else translator.cell_readers
    may_be = len(files) == 1 and shape.explode is one_each and (is_unchanged or readers is not None)
    portions = Portions(lambda: in_portions(last, reads), of_rows, readers) if may_be and in_portions else None
    # a repeated column is an error before anything is sent
    filled = _filled(shape, islice(rows(), ROWS_SAMPLED))
    return Source(
        paths=tuple(each.table.path for each in files),
        of=shape.of,
        shape=shape.name,
        described=f"{shape.title} ({table.written})",
        columns=table.columns,
        places=places,
        records=lambda leave_out: of_rows(rows(), leave_out),
        portions=portions,
        inside=table.inside,
        filled=filled,
        unit=mapping.time_unit or shape.unit,
    )


def _filled(shape: Shape, rows: Iterator[Row]) -> frozenset[str]:
    parts = shape.explode(row for row in rows if row.fault is None)
    return frozenset(name for part in parts for name, value in part.fields.items() if value not in ("", None))

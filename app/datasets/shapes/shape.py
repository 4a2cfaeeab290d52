"""Declares what a shape is: its columns, its kinds, and how a row becomes events or items."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from app.datasets.record import Row

Fields = dict[str, Any]
WORD_GAP = re.compile(r"[\s\-]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class RowPart(NamedTuple):
    """One event or item of a row: its values by column, and its place within the row, from 0.

    `deleted` says that the item is no longer in the catalogue.
    """

    row: Row
    fields: Fields
    place: int = 0
    deleted: bool = False


# Takes the rows of a file, and yields their parts. A row that is no row (its `fields` are None)
# does not reach it.
Explode = Callable[[Iterator[Row]], Iterator[RowPart]]


def one_each(rows: Iterator[Row]) -> Iterator[RowPart]:
    """Yield each row as one part."""
    for row in rows:
        yield RowPart(row, row.fields or {})


def each(parts: Callable[[Fields], Iterable[Fields]]) -> Explode:
    """Return the explosion of rows that do not depend on each other.

    A row without parts is one part, so that it is counted.
    """

    def explode(rows: Iterator[Row]) -> Iterator[RowPart]:
        for row in rows:
            found = False
            for place, fields in enumerate(parts(row.fields or {})):
                found = True
                yield RowPart(row, fields, place)
            if not found:
                yield RowPart(row, row.fields or {})

    return explode


@dataclass(frozen=True, slots=True)
class Shape:
    """A published shape of event files or item files.

    A file has the shape if it has all columns of one of `marks`. `fields` names, for each field of
    the contract, the columns it may be in; the first filled one is used. `kinds` translates the
    words of the kind's column, written in lower case with `_` for a space. With `others_left_out`,
    other words name what is no interaction with an item; else they are rejected. `unit` and `zone`
    are those of published times. `kind` is the kind of all rows, where the shape knows only one.
    """

    name: str
    of: Literal["events", "items"]
    title: str
    marks: tuple[frozenset[str], ...]
    fields: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    others_left_out: bool = False
    unit: str = "s"
    zone: str = ""
    explode: Explode = one_each
    plain_columns: bool = False  # columns are compared as `plain` writes them
    zero_is_unknown: bool = True  # a price of 0 stands for one that is not known
    is_gathered: bool = False  # an item is made of rows of several files, which are read as one

    def fits(self, columns: Iterable[str]) -> bool:
        """Whether a file with these columns has this shape."""
        found = {plain(each) for each in columns} if self.plain_columns else set(columns)
        return any(mark <= found for mark in self.marks)


def word(text: str) -> str:
    """Return a kind's word in lower case, with `_` for spaces and hyphens."""
    return WORD_GAP.sub("_", text.strip().lower())


def plain(column: str) -> str:
    """Return a column's name without a prefix `g:`, in lower case with `_` between words.

    >>> plain("g:image_link"), plain("Image Link"), plain("imageLink")
    ('image_link', 'image_link', 'image_link')
    """
    return word(CAMEL.sub("_", column.strip().removeprefix("g:")))


def embedded(value: object) -> Any:
    """Return a JSON value that a cell holds as text; any other value unchanged."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def objects(value: object) -> list[Fields]:
    """Return the objects of a list, or of a JSON list in text; an empty list if it is none."""
    found = embedded(value)
    found = [found] if isinstance(found, dict) else found
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

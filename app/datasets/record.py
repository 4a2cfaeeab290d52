"""Declares what a reader yields: records for Kafka, and a log as a source of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from models.contract.events import GUEST_PREFIX
from models.contract.outcome import Reason

QUARANTINE = "quarantine"


class Record(NamedTuple):
    """One record to be sent to Kafka.

    `ts` is its event time in seconds since 1970, None when it cannot be read. `row` is the number
    of its row in the file, 0 if there is none. `fields` are the values by column of a row that goes
    to quarantine and could be read. This is a named tuple, because a frozen dataclass
    takes 1 µs to make, as long as everything else for a row.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    ts: float | None
    headers: tuple[tuple[str, bytes], ...] = ()
    row: int = 0
    fields: dict[str, Any] | None = None


class Row(NamedTuple):
    """The number of a row in its file, from 1, and its unchanged bytes for quarantine.

    `fields` holds its values by column. It is None for a row that cannot be read. `fault` says why
    a row is refused that cannot be read, or that its shape knows for no interaction.
    """

    file: str
    number: int
    content: bytes
    fields: dict[str, Any] | None = None
    fault: tuple[Reason, str] | None = None


# Called with what a row is that is no interaction, such as `page_view`: the row is left out.
LeaveOut = Callable[[str], None]


class Portion(NamedTuple):
    """Rows that follow each other in a file; `numbers` count the rows of the file from 1.

    Of CSV, `cells` has a list of cells for each row, and `places` the index of each column in it.
    Of JSON lines, `lines` has the bytes. `row` makes the row at an index. `odd` are rows among them
    that have to be looked at alone: their cells do not fit the columns, or are on several lines.
    """

    numbers: list[int]
    row: Callable[[int], Row]
    cells: list[list[str]]
    places: Mapping[str, int]
    lines: list[bytes]
    odd: list[Row]

    def first(self, count: int) -> "Portion":
        """Return at most `count` rows: of those that stand alone first, then of the others."""
        odd = self.odd[:count]
        rest = count - len(odd)
        return self._replace(numbers=self.numbers[:rest], cells=self.cells[:rest], lines=self.lines[:rest], odd=odd)


@dataclass(frozen=True, slots=True)
class CellReaders:
    """How the cells of one row become an event or an item, field by field.

    `fields` has the column of each field, and what reads a cell of it. `topic_of_word` takes the
    cell of `kind_column` (or an empty text if there is none), and returns the topic of the row; an
    empty text if the row is left out; None if only the whole row tells it. With `derived`, events
    have ids that are derived from their rows.
    """

    fields: Mapping[str, tuple[str, Callable[[Any], object]]]
    kind_column: str
    topic_of_word: Callable[[str], str | None]
    is_own: bool
    derived: bool


@dataclass(frozen=True, slots=True)
class Portions:
    """A file in portions of rows, and the records of any of its rows.

    `readers` is None for JSON lines, which are sent unchanged.
    """

    read: Callable[[], Iterator[Portion]]
    records: Callable[[Iterator[Row], LeaveOut], Iterator[Record]]
    readers: CellReaders | None


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a log, or several that are one table: what it is, and its records.

    `described` is for people: the shape, and how the file is written. `columns` are those of its
    first rows, and `places` the columns of each field. `inside` are the paths of plain values
    inside objects of these rows, such as `user.id`, and `filled` the columns that have a value in
    them. `unit` is that of times that are numbers. Every call of `records` reads from the start.
    `portions` reads the same more quickly, and is None for files where nothing does.
    """

    paths: tuple[Path, ...]
    of: str
    shape: str
    described: str
    columns: tuple[str, ...]
    places: Mapping[str, tuple[str, ...]]
    records: Callable[[LeaveOut], Iterator[Record]]
    portions: Portions | None = None
    inside: tuple[str, ...] = ()
    filled: frozenset[str] = frozenset()
    unit: str = "s"

    def column_of(self, field: str) -> str:
        """Return the column that a field is read from, of those that have a value if one does."""
        places = self.places.get(field, ())
        return next((each for each in places if each in self.filled), next(iter(places), field))

    @property
    def name(self) -> str:
        """Return the names of the files."""
        return ", ".join(path.name for path in self.paths)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A log: its events and its catalogue, which may be empty. Every call reads from the start.

    `sources` are its files, and `ignored` are files that were not recognised as a part of a log.
    """

    name: str
    events: Callable[[], Iterator[Record]]
    items: Callable[[], Iterator[Record]]
    sources: tuple[Source, ...] = ()
    ignored: tuple[str, ...] = ()


def user_key(user_id: str | None, session_id: str | None) -> bytes | None:
    """Return the Kafka key of an event: the user id, or `session:<session_id>` for a guest.

    None if there is neither.
    """
    if user_id:
        return user_id.encode("utf-8", "surrogateescape")
    if session_id:
        return (GUEST_PREFIX + session_id).encode("utf-8", "surrogateescape")
    return None


def quarantined(row: Row, reason: Reason, detail: str) -> Record:
    """Return a row as an unchanged record for `quarantine`, with the headers of the contract."""
    headers = {
        "reason": reason.value,
        "detail": detail,
        "source-topic": row.file,
        "source-partition": "0",
        "source-offset": str(row.number),
    }
    return Record(
        QUARANTINE,
        None,
        row.content,
        None,
        tuple((name, text.encode("utf-8", "surrogateescape")) for name, text in headers.items()),
        row.number,
        row.fields,
    )

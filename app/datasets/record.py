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

    `fields` holds its values by column. It is None for a row that cannot be read, and `fault` says
    why.
    """

    file: str
    number: int
    content: bytes
    fields: dict[str, Any] | None = None
    fault: tuple[Reason, str] | None = None


# Called with what a row is that is no interaction, such as `page_view`: the row is left out.
LeaveOut = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a log, or several that are one table: what it is, and its records.

    `described` is for people: the shape, and how the file is written. `columns` are those of its
    first rows, and `places` the columns of each field. Every call of `records` reads from
    the start.
    """

    paths: tuple[Path, ...]
    of: str
    shape: str
    described: str
    columns: tuple[str, ...]
    places: Mapping[str, tuple[str, ...]]
    records: Callable[[LeaveOut], Iterator[Record]]

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

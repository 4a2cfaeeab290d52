"""Declares what a reader yields: records for Kafka, and a log as a source of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from models.contract.events import GUEST_PREFIX
from models.contract.outcome import Reason

QUARANTINE = "quarantine"


class Record(NamedTuple):
    """One record to be sent to Kafka.

    `ts` is its event time in seconds since 1970, None when it cannot be read. `row` is the number
    of its row in the file, 0 if there is none. This is a named tuple, because a frozen dataclass
    takes 1 µs to make, as long as everything else for a row.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    ts: float | None
    headers: tuple[tuple[str, bytes], ...] = ()
    row: int = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A log: its events and its catalogue, which may be empty. Every call reads from the start."""

    name: str
    events: Callable[[], Iterator[Record]]
    items: Callable[[], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Row:
    """The number of a row in its file, from 1, and its unchanged bytes for quarantine."""

    file: str
    number: int
    content: bytes


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
    )

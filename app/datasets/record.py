"""What a reader yields: a record on its way to Kafka, and a log as a source of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from models.contract.events import GUEST_PREFIX
from models.contract.outcome import Reason

QUARANTINE = "quarantine"


class Record(NamedTuple):
    """One Kafka record to be; `ts` is its event time in seconds since 1970, None when it cannot be read.

    `row` is the number of its row in the file, 0 where there is none.
    A named tuple, because a frozen dataclass takes a microsecond to make, as long as the rest of a row.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    ts: float | None
    headers: tuple[tuple[str, bytes], ...] = ()
    row: int = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A log: its events and its catalogue (perhaps empty), each read from the start by every call."""

    name: str
    events: Callable[[], Iterator[Record]]
    items: Callable[[], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Row:
    """Where a row stands (the first is number 1) and its bytes as they were, for quarantine."""

    file: str
    number: int
    content: bytes


def user_key(user_id: str | None, session_id: str | None) -> bytes | None:
    """The Kafka key of an event: the user id, `session:<session_id>` for a guest, None for neither."""
    if user_id:
        return user_id.encode("utf-8", "surrogateescape")
    if session_id:
        return (GUEST_PREFIX + session_id).encode("utf-8", "surrogateescape")
    return None


def quarantined(row: Row, reason: Reason, detail: str) -> Record:
    """A row that belongs to no topic goes to `quarantine` untouched, with the headers of the contract."""
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

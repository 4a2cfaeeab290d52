"""The log of a measurement: a data set cut or repeated to the wished length, never with a duplicate
in it.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import orjson

from app.datasets.record import Record
from app.errors import HeadraceError
from app.kafka.topics import SOURCES


def bench_log(read: Callable[[], Iterator[Record]], events: int | None, skip: int = 0) -> Iterator[Record]:
    """The first `events` events behind the first `skip`; a log that is shorter is read again and
    again.

    Each further copy tells of other users, in other sessions, with event ids of their own. Raises
    HeadraceError for a log without events.
    """
    if events is None:
        return _sources(read())
    return islice(_copies(read, skip), events)


def count_events(read: Callable[[], Iterator[Record]], events: int | None) -> int:
    """How many records `bench_log` gives. Raises HeadraceError for a log without events."""
    found = events or sum(1 for _ in _sources(read()))
    if found == 0:
        raise HeadraceError("there is no event in this log: nothing can be measured")
    return found


def copy_of(record: Record, number: int) -> Record:
    """The record as copy `number` of the log; one that is not a JSON object stays as it is."""
    try:
        event = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return record
    if not isinstance(event, dict):
        return record
    for name in ("event_id", "user_id", "session_id"):
        if isinstance(event.get(name), str):
            event[name] += f"~{number}"
    # A guest's key ends with the session id, so the suffix is right there too.
    key = record.key if record.key is None else record.key + f"~{number}".encode()
    return record._replace(key=key, value=orjson.dumps(event))


def _copies(read: Callable[[], Iterator[Record]], skip: int) -> Iterator[Record]:
    number = 1
    while True:
        length = 0
        for record in _sources(read()):
            length += 1
            if length > skip:
                yield record if number == 1 else copy_of(record, number)
        if length == 0:
            raise HeadraceError("there is no event in this log: nothing can be measured")
        # Whole copies that are to be skipped are not read.
        passed, skip = divmod(max(skip - length, 0), length)
        number += 1 + passed


def _sources(records: Iterator[Record]) -> Iterator[Record]:
    return (record for record in records if record.topic in SOURCES)

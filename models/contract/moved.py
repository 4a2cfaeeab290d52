"""Events that lay in another partition than their user's, on their way through the topic `moved`.

An event keeps its origin: it counts under the source partition and the offset where its producer
put it, so that one that is moved twice, after a crash, is a repeat.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.contract.events import RawBatch
from models.contract.formats import MOVED, check_header, header
from models.contract.outcome import Reason, Rejected

Headers = Sequence[tuple[str, bytes]]
Origin = tuple[str, int, str]

TOPIC, PARTITION, OFFSET = "source-topic", "source-partition", "source-offset"
LOG, TIME = "source-log", "source-time"
NUMBER = re.compile(rb"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Moved:
    """One event for partition `home`: its user, where it stood, its time there, and its bytes
    untouched.
    """

    home: int
    user_id: str
    topic: str
    partition: int
    log: str
    offset: int
    time: float
    value: bytes | None

    @classmethod
    def of(cls, batch: RawBatch, row: int, home: int, user_id: str) -> "Moved":
        """The record in this row of a batch of a source."""
        place = (batch.topic, batch.partition, batch.log, int(batch.offsets[row]), float(batch.times[row]))
        return cls(home, user_id, *place, batch.values[row])

    def headers(self) -> list[tuple[str, bytes]]:
        """What the record carries besides key and value."""
        return [
            (TOPIC, self.topic.encode()),
            (PARTITION, b"%d" % self.partition),
            (OFFSET, b"%d" % self.offset),
            (LOG, self.log.encode()),
            (TIME, b"%d" % round(self.time * 1000)),
            header(MOVED),
        ]


def by_origin(batch: RawBatch, topics: Collection[str]) -> tuple[list[RawBatch], list[Rejected]]:
    """Split a batch by the source that its events came from. `topics` are the sources.

    Returns a batch of a source unchanged. Groups records of `moved` by topic, partition and log of
    their origin; rejects a record without these headers. Each part is processed in the partition of
    the batch, and keeps the order of its events. Of an event that was moved twice, only the first
    copy is returned. Raises NewerFormat for a record that a newer version of Headrace moved.
    """
    if batch.topic in topics:
        return [batch], []
    rows: dict[Origin, list[tuple[int, int, float]]] = {}
    rejected = []
    for row, headers in enumerate(batch.headers):
        check_header(MOVED, dict(headers))
        try:
            origin, offset, time = _origin(dict(headers), topics)
        except (KeyError, ValueError):
            rejected.append(_without_origin(batch, row))
            continue
        listed = rows.setdefault(origin, [])
        if not listed or offset > listed[-1][1]:
            listed.append((row, offset, time))
    return [_part(batch, origin, listed) for origin, listed in rows.items()], rejected


def _origin(headers: Mapping[str, bytes | None], topics: Collection[str]) -> tuple[Origin, int, float]:
    topic, log = ((headers[name] or b"").decode() for name in (TOPIC, LOG))
    if topic not in topics:
        raise ValueError(f"no topic of events: {topic}")
    partition, offset, time = (_number(headers[name]) for name in (PARTITION, OFFSET, TIME))
    return (topic, partition, log), offset, time / 1000


def _number(value: bytes | None) -> int:
    """The number in a header, which fits into 64 bits. Raises ValueError for anything else."""
    if value is None or not NUMBER.fullmatch(value):
        raise ValueError("no number")
    return int(value)


def _part(batch: RawBatch, origin: Origin, listed: Sequence[tuple[int, int, float]]) -> RawBatch:
    topic, partition, log = origin
    return RawBatch(
        topic=topic,
        partition=partition,
        offsets=np.array([offset for _, offset, _ in listed], np.int64),
        times=np.array([time for _, _, time in listed], np.float64),
        keys=[batch.keys[row] for row, _, _ in listed],
        values=[batch.values[row] for row, _, _ in listed],
        log=log,
        moved_to=batch.partition,
    )


def _without_origin(batch: RawBatch, row: int) -> Rejected:
    place = (batch.topic, batch.partition, int(batch.offsets[row]))
    detail = "a record of the topic `moved` without the headers of its origin: only Headrace writes that topic"
    return Rejected(Reason.INVALID_VALUE, detail, *place, batch.keys[row], batch.values[row])

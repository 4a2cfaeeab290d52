"""Explains which rows of a log were rejected.

The quarantine of an embedded broker is lost when the command ends, so the log is read again.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from app.datasets.record import QUARANTINE, Record
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.contract.item_codec import decode_items
from models.contract.outcome import Reason, Rejected

ROWS_SHOWN = 3
ROWS_AT_ONCE = 1_000

# What to do, for reasons that tell it. For the others, the detail tells it.
ADVICE: Mapping[str, str] = {
    Reason.INVALID_TIME: "write times as seconds since 1970, or with a zone, such as 2022-06-24T21:20:11Z",
    Reason.TOO_OLD: "write times in seconds since 1970; leave out what a clock that was never set wrote",
    Reason.FROM_THE_FUTURE: "write times in seconds since 1970: divide milliseconds by 1,000",
    Reason.WRONG_TYPE: "write numbers with a point and without separators (1250.00), and ids as text",
    Reason.MISSING_FIELD: "fill the field in, or leave the row out",
    Reason.EMPTY_ID: "fill the id in, or leave the field out",
    Reason.NO_USER: "fill in user_id, or session_id for guests",
    Reason.UNKNOWN_KIND: "write view, click, order, cart, fav or rating as the kind",
    Reason.INVALID_UTF8: "save the file as UTF-8",
    Reason.MALFORMED_JSON: "write one JSON object a line",
    Reason.NOT_AN_OBJECT: "write one JSON object a line",
    Reason.TOO_LARGE: "shorten the texts, or raise HEADRACE_EVENTS_MAX_BYTES",
}


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is in quarantine: its number in the file, from 1, and why."""

    row: int
    reason: str
    detail: str

    @property
    def advice(self) -> str:
        """Return what to do about it; an empty text if the detail tells it."""
        return ADVICE.get(self.reason, "")


async def rejected_rows(
    read: Callable[[], Iterator[Record]], wanted: Counter[str], settings: EventSettings, now: float
) -> list[RejectedRow]:
    """Return the first three rejected rows of each reason in `wanted`, sorted by reason.

    `wanted` holds the number of rejected rows by reason. The log is read again, as far as needed,
    with the worker's own checks; `now`, in seconds, replaces the broker's time. If `wanted` is
    empty, nothing is read.
    """
    found: dict[str, list[RejectedRow]] = defaultdict(list)
    records = read() if wanted.total() else iter(())
    while any(len(found[reason]) < min(count, ROWS_SHOWN) for reason, count in wanted.items()):
        part = list(islice(records, ROWS_AT_ONCE))
        if not part:
            break
        for each in _check(part, settings, now):
            if len(found[each.reason]) < ROWS_SHOWN:
                found[each.reason].append(each)
        await asyncio.sleep(0)  # a long log is read again, so let Ctrl-C through
    return [each for reason in sorted(wanted) for each in found[reason]]


def _check(records: Sequence[Record], settings: EventSettings, now: float) -> list[RejectedRow]:
    by_topic: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_topic[record.topic].append(record)
    found = [_misfit(record) for record in by_topic.pop(QUARANTINE, [])]
    for topic, its_records in by_topic.items():
        found += [
            RejectedRow(each.offset, each.reason, each.detail) for each in _decode(topic, its_records, settings, now)
        ]
    return sorted(found, key=lambda each: each.row)


def _misfit(record: Record) -> RejectedRow:
    headers = dict(record.headers)
    return RejectedRow(record.row, headers["reason"].decode(), headers["detail"].decode(errors="replace"))


def _decode(topic: str, records: Sequence[Record], settings: EventSettings, now: float) -> list[Rejected]:
    batch = RawBatch(
        topic=topic,
        partition=0,
        offsets=np.array([record.row for record in records], np.int64),
        times=np.full(len(records), now),
        keys=[record.key for record in records],
        values=[record.value for record in records],
    )
    if topic in KIND_OF_TOPIC:
        return decode(batch, KIND_OF_TOPIC[topic], settings).rejected
    return [each.rejected for each in decode_items(batch, settings) if each.rejected is not None]

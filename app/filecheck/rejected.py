"""Finds the rows of a log that the worker will reject, with the worker's own checks.

The quarantine of an embedded broker is lost when the command ends, so the log is read again.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import orjson

from app.datasets.record import QUARANTINE, Record
from app.filecheck.advice import ADVICE
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.contract.interactions import Interactions
from models.contract.item_codec import decode_items
from models.contract.outcome import Rejected
from models.contract.typed_event import CancelledOrder, EventRecord

ROWS_SHOWN = 3
# What a repeat shares with an event, as in `models.contract.identity`: event, user and item, price
# and quantity.
Identity = tuple[str, str, str, float | None, float | None]
ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is in quarantine: its number in the file, from 1, and why.

    `fields` are those of the contract, or the columns of a row that did not become a record;
    `is_raw` tells the latter.
    """

    row: int
    reason: str
    detail: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    is_raw: bool = False

    @property
    def advice(self) -> str:
        """Return what to do about it; an empty text if the detail tells it."""
        return ADVICE.get(self.reason, "")


@dataclass(frozen=True, slots=True)
class Judged:
    """The rejected rows of a part of a log, in its order, and its accepted records by topic.

    `identities` tell the accepted events from each other.
    """

    rejected: list[RejectedRow]
    accepted: Counter[str]
    identities: list[Identity]


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
        for each in judge(part, settings, now).rejected:
            if len(found[each.reason]) < ROWS_SHOWN:
                found[each.reason].append(each)
        await asyncio.sleep(0)  # a long log is read again, so let Ctrl-C through
    return [each for reason in sorted(wanted) for each in found[reason]]


def judge(records: Sequence[Record], settings: EventSettings, now: float) -> Judged:
    """Return what the worker would make of these records, with `now` as the broker's time."""
    by_topic: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_topic[record.topic].append(record)
    found = [_misfit(record) for record in by_topic.pop(QUARANTINE, [])]
    accepted: Counter[str] = Counter()
    identities: list[Identity] = []
    for topic, its_records in by_topic.items():
        batch = _batch(topic, its_records, now)
        if topic in KIND_OF_TOPIC:
            decoded = decode(batch, KIND_OF_TOPIC[topic], settings)
            identities += _identities(decoded.accepted)
            rejected = decoded.rejected
        else:
            rejected = [each.rejected for each in decode_items(batch, settings) if each.rejected is not None]
        accepted[topic] = len(its_records) - len(rejected)
        found += [RejectedRow(each.offset, each.reason, each.detail, _fields(each)) for each in rejected]
    return Judged(sorted(found, key=lambda each: each.row), accepted, identities)


def _identities(accepted: Interactions) -> list[Identity]:
    pairs = zip(accepted.events, accepted.user_ids, strict=True)
    return [(_event_id(each), user, each.item_id, each.price, each.quantity) for each, user in pairs]


def _event_id(event: EventRecord) -> str:
    """The event's id; a cancellation has that of its order, and is no repeat of it."""
    return f"cancelled\n{event.event_id}" if type(event) is CancelledOrder else event.event_id


def _misfit(record: Record) -> RejectedRow:
    headers = dict(record.headers)
    detail = headers["detail"].decode(errors="replace")
    return RejectedRow(record.row, headers["reason"].decode(), detail, record.fields or {}, is_raw=True)


def _fields(rejected: Rejected) -> Mapping[str, Any]:
    try:
        fields = orjson.loads(rejected.value or b"")
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _batch(topic: str, records: Sequence[Record], now: float) -> RawBatch:
    return RawBatch(
        topic=topic,
        partition=0,
        offsets=np.array([record.row for record in records], np.int64),
        times=np.full(len(records), now),
        keys=[record.key for record in records],
        values=[record.value for record in records],
    )

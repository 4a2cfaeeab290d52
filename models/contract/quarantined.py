"""Reads records of the topic `quarantine`: what was rejected and why, and marks of replays.

A mark says that somebody is about to send records again, or has sent them. It follows the
records in the same partition, so whoever reads a record reads its marks too. It names
records by their ids. An id is made of the record's place in its source and of its bytes: a record
that is twice in the quarantine, after a crash, has one id.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from models.contract.events import RawBatch
from models.contract.formats import QUARANTINE, check_header, header

ID_BYTES = 8
LARGEST_PARTITION, LARGEST_OFFSET = 2**31 - 1, 2**63 - 1  # Kafka has them as int32 and int64
REPLAY = "replay"  # the header of a mark
CLAIMED, REPLAYED = "claimed", "replayed"
WAITING, IN_DOUBT = "waiting", "in_doubt"
STATES = (WAITING, REPLAYED, IN_DOUBT)
Headers = list[tuple[str, bytes]]
Said = Mapping[str, bytes | None]  # Kafka permits a header without a value


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record in quarantine.

    `topic`, `partition` and `offset` are those of its source: a topic with its prefix, or a file
    and a row. `time` is when it was put there, in seconds since 1970.
    """

    record_id: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    time: float
    key: bytes | None
    value: bytes | None


class ReplayMark(NamedTuple):
    """Says what becomes of records: `state` is CLAIMED or REPLAYED, `claim` names the replay.

    `over` are claims whose replay ended before it told what became of them; this one takes their
    records.
    """

    state: str
    claim: str
    ids: tuple[str, ...]
    over: tuple[str, ...] = ()

    def record(self) -> tuple[bytes, Headers]:
        """Return the value and the headers of the mark's record."""
        value = orjson.dumps({"claim": self.claim, "ids": self.ids, "over": self.over})
        return value, [(REPLAY, self.state.encode()), header(QUARANTINE)]


def record_id(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None) -> str:
    """Return the id of a rejected record: 16 hexadecimal digits.

    >>> record_id("views", 0, 7, b"ada", b"{") == record_id("views", 0, 8, b"ada", b"{")
    False
    """
    digest = hashlib.blake2b(f"{topic} {partition} {offset} {len(key or b'')} ".encode(), digest_size=ID_BYTES)
    digest.update(key or b"")
    digest.update(value or b"")
    return digest.hexdigest()


def decode_quarantine(batch: RawBatch) -> list[Quarantined | ReplayMark]:
    """Return what a batch of `quarantine` says, in its order.

    Skips records that Headrace did not write. Raises NewerFormat for those of a newer version.
    """
    found: list[Quarantined | ReplayMark] = []
    for row, headers in enumerate(batch.headers):
        said: Said = dict(headers)
        check_header(QUARANTINE, said)
        try:
            found.append(_mark(said, batch.values[row]) if REPLAY in said else _quarantined(batch, row, said))
        except (KeyError, ValueError, TypeError):
            continue
    return found


def _quarantined(batch: RawBatch, row: int, said: Said) -> Quarantined:
    topic = _text(said, "source-topic")
    partition, offset = int(_text(said, "source-partition")), int(_text(said, "source-offset"))
    if not (0 <= partition <= LARGEST_PARTITION and 0 <= offset <= LARGEST_OFFSET):
        raise ValueError(f"{partition} and {offset} are no place in a topic")
    key, value = batch.keys[row], batch.values[row]
    return Quarantined(
        record_id=record_id(topic, partition, offset, key, value),
        reason=_text(said, "reason"),
        detail=_text(said, "detail"),
        topic=topic,
        partition=partition,
        offset=offset,
        time=float(batch.times[row]),
        key=key,
        value=value,
    )


def _mark(said: Said, value: bytes | None) -> ReplayMark:
    body = orjson.loads(value or b"")
    state = _text(said, REPLAY)
    if state not in (CLAIMED, REPLAYED):
        raise ValueError(f"no state of a replay: {state}")
    return ReplayMark(state, str(body["claim"]), tuple(map(str, body["ids"])), tuple(map(str, body["over"])))


def _text(said: Said, name: str) -> str:
    value = said[name]
    if value is None:
        raise ValueError(f"the header {name} has no value")
    return value.decode(errors="replace")


class Replays:
    """Follows the marks of the quarantine in their order: who may send which record again.

    A record belongs to the first claim to it, until a later claim names that one as ended.
    """

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._done: set[str] = set()

    def follow(self, marks: Iterable[ReplayMark]) -> None:
        """Take in marks that come behind those before."""
        for mark in marks:
            if mark.state == REPLAYED:
                self._done.update(mark.ids)
                continue
            for each in mark.ids:
                if self._holders.get(each, "") in ("", *mark.over):
                    self._holders[each] = mark.claim

    def state(self, record: str) -> str:
        """Return WAITING, REPLAYED, or IN_DOUBT for what was claimed and not told to be sent."""
        if record in self._done:
            return REPLAYED
        return IN_DOUBT if record in self._holders else WAITING

    def holder(self, record: str) -> str:
        """Return the claim that the record belongs to; empty if there is none."""
        return self._holders.get(record, "")

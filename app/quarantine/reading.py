"""Reads the quarantine once, and keeps what was asked for."""

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from app.concerns import KafkaSettings
from app.kafka.whole_log import WholeLog, whole_log
from models.contract.quarantined import Quarantined, ReplayMark, Replays, decode_quarantine

NAME = "quarantine"
NEWEST = 100_000  # records of each partition that are read; a quarantine may hold millions
HOUR_SECONDS = 3600
EVERYWHERE = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records are meant: all of these reasons and topics, or any where none is named.

    `topics` have no prefix. `since` and `until` bound the time of the rejection, in seconds since
    1970.
    """

    reasons: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    since: float = EVERYWHERE[0]
    until: float = EVERYWHERE[1]
    record_id: str = ""

    def has(self, record: Quarantined) -> bool:
        """Return whether this record is meant; its topic has no prefix."""
        return (
            (not self.reasons or record.reason in self.reasons)
            and (not self.topics or record.topic in self.topics)
            and self.since <= record.time < self.until
            and self.record_id in ("", record.record_id)
        )


class RejectedEntry(NamedTuple):
    """What is kept of each record that is meant; `home` is the partition of the quarantine."""

    reason: str
    topic: str
    time: float
    home: int


@dataclass(slots=True)
class QuarantineReading:
    """What was found: `entries` of all records that are meant, by id, and the newest ones whole.

    `on_record` is called with each record that is meant, once.
    `is_whole` is False where older records were passed over or removed.
    """

    choice: Choice
    most: int
    on_record: Callable[[Quarantined], None] = lambda record: None
    is_whole: bool = True
    read: int = 0
    entries: dict[str, RejectedEntry] = field(default_factory=dict)
    replays: Replays = field(default_factory=Replays)
    _newest: list[tuple[float, int, Quarantined]] = field(default_factory=list)

    def take(self, found: Collection[Quarantined | ReplayMark], prefix: str, home: int) -> None:
        """Take in what the next batch says, of partition `home`. `prefix` is left off the names of
        topics.
        """
        for each in found:
            if isinstance(each, ReplayMark):
                self.replays.follow([each])
                continue
            self.read += 1
            record = replace(each, topic=each.topic.removeprefix(prefix))
            if self.choice.has(record) and record.record_id not in self.entries:
                self.entries[record.record_id] = RejectedEntry(record.reason, record.topic, record.time, home)
                self.on_record(record)
                if self.most:
                    heapq.heappush(self._newest, (record.time, self.read, record))
                    if len(self._newest) > self.most:
                        heapq.heappop(self._newest)

    @property
    def newest(self) -> list[Quarantined]:
        """Return the records that are kept whole, newest first."""
        return [record for _, _, record in sorted(self._newest, key=lambda each: each[:2], reverse=True)]

    def states(self) -> Counter[str]:
        """Return how many of the records are in which state."""
        return Counter(self.replays.state(each) for each in self.entries)

    def hours(self) -> dict[int, int]:
        """Return how many records came in each hour that has any, by its first second."""
        found = Counter(int(each.time // HOUR_SECONDS) * HOUR_SECONDS for each in self.entries.values())
        return dict(sorted(found.items()))


@asynccontextmanager
async def quarantine_log(
    kafka: KafkaSettings, progress: Callable[[float], None], newest: int | None = NEWEST
) -> AsyncIterator[WholeLog]:
    """Open the quarantine, or its newest records of each partition. Raises HeadraceError."""
    async with whole_log(kafka, NAME, progress, newest=newest) as log:
        yield log


async def read_on(log: WholeLog, reading: QuarantineReading, prefix: str) -> QuarantineReading:
    """Take in what follows what was read before, up to the present end. Raises HeadraceError."""
    async with aclosing(log.read()) as batches:
        async for batch in batches:
            reading.take(decode_quarantine(batch), prefix, batch.partition)
    reading.is_whole = log.is_whole
    return reading


async def read_quarantine(
    kafka: KafkaSettings,
    choice: Choice,
    most: int,
    progress: Callable[[float], None] = lambda share: None,
    newest: int | None = NEWEST,
) -> QuarantineReading:
    """Read the quarantine up to its present end. Raises HeadraceError.

    At most `most` of the records that are meant are kept whole: the newest ones.
    """
    async with quarantine_log(kafka, progress, newest) as log:
        return await read_on(log, QuarantineReading(choice, most), kafka.topic_prefix)

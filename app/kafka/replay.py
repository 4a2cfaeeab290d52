"""Sends records to Kafka in their order, at the pace of their event times or as fast as possible.

This module fills Kafka's batches itself, one window of records at a time. That is three times as
fast as one `send` for each event.
"""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import repeat

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import (  # type: ignore[import-untyped]  # ships no types
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
)

from app.concerns import KafkaSettings
from app.datasets.record import QUARANTINE, Record
from app.errors import HeadraceError
from app.kafka.clients import make_producer
from app.kafka.login_fault import kafka_away
from app.kafka.partitioning import PartitionOf, by_murmur2

logger = logging.getLogger(__name__)

WINDOW_RECORDS = 5_000
WINDOW_BYTES = 16 * 1024 * 1024
WINDOW_SECONDS = 0.05
LONGEST_STEP_SECONDS = 86_400.0
BATCH_BYTES = 512 * 1024
ATTEMPTS = 3
REQUEST_TIMEOUT_SECONDS = 40.0
ATTEMPT_PAUSE_SECONDS = 1.0
FLUSH_SECONDS = 10.0

Progress = Callable[[Counter[str]], None]
Room = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Window:
    """Records that are sent together, `due` seconds after the start."""

    due: float
    records: list[Record]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast records are sent: `speed` times real time; None for as fast as possible.

    Before each window, `room` is awaited with the number of records sent so far. Records for
    `quarantine` are not counted, as no worker reads them. `room` returns when the readers can take
    more. After each window, `progress` is called with the number of records acknowledged so far, by
    topic.
    """

    speed: float | None = None
    progress: Progress = lambda acknowledged: None
    room: Room | None = None


async def replay(
    records: Iterable[Record],
    producer: AIOKafkaProducer,
    pace: Pace,
    *,
    prefix: str = "",
    partition_of: PartitionOf = by_murmur2,
) -> Counter[str]:
    """Send all records, in their order within each partition.

    Returns the acknowledged number by topic.

    `prefix` goes before every topic's name, and `partition_of` chooses the partition of a key.
    Kafka's timestamp is the time of sending; the event time is in the value. A cancelled replay
    waits for the answers to what it has sent. A batch whose answer was lost is sent again: a record
    may arrive twice, but none is lost.

    Raises HeadraceError when Kafka does not accept the records.
    """
    sender = _Sender(producer, prefix, partition_of)
    started = time.monotonic()
    sent = 0
    try:
        for window in windows(records, pace.speed):
            await asyncio.sleep(started + window.due - time.monotonic())
            if pace.room is not None:
                await pace.room(sent)
            await sender.send(window.records)
            sent += sum(record.topic != QUARANTINE for record in window.records)
            pace.progress(sender.acknowledged)
        await sender.flush()
    except KafkaError as error:
        raise HeadraceError(_advice(error, sender.acknowledged.total())) from error
    finally:
        await sender.settle()
        pace.progress(sender.acknowledged)
    return sender.acknowledged


@asynccontextmanager
async def producer_for(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a producer that waits for all in-sync replicas.

    Raises HeadraceError when no broker answers.
    """
    producer = make_producer(
        settings,
        acks="all",
        max_batch_size=min(BATCH_BYTES, settings.max_message_bytes),
        max_request_size=settings.max_message_bytes,
        request_timeout_ms=int(REQUEST_TIMEOUT_SECONDS * 1000),
    )
    try:
        await producer.start()
        yield producer
    except KafkaConnectionError as error:
        raise await kafka_away(settings, error, "") from error
    finally:
        await producer.stop()


def windows(records: Iterable[Record], speed: float | None) -> Iterator[Window]:
    """Cut the log into windows of 5,000 records, 16 MiB or, with a speed, 0.05 s of playing time.

    A record is due (its event time - the first event time) / speed after the start, and never
    before an earlier one: a log that steps back in time keeps its order. A record without event
    time is due at once. Steps of more than one day take no time: a closed shop, or a date in the
    wrong year.
    """
    opened = last = 0.0
    size = 0
    window: list[Record] = []
    for due, record in zip(repeat(0.0), records) if speed is None else _timed(records, speed):
        if len(window) == WINDOW_RECORDS or size > WINDOW_BYTES or (window and due > opened + WINDOW_SECONDS):
            yield Window(last, window)
            window, size = [], 0
        if not window:
            opened = due
        last = due
        window.append(record)
        size += len(record.value or b"")
    if window:
        yield Window(last, window)


def _timed(records: Iterable[Record], speed: float) -> Iterator[tuple[float, Record]]:
    due = 0.0
    newest: float | None = None
    for record in records:
        if record.ts is not None:
            step = record.ts - newest if newest is not None else 0.0
            if 0 < step <= LONGEST_STEP_SECONDS:
                due += step / speed
            if not -LONGEST_STEP_SECONDS <= step <= 0 or newest is None:
                newest = record.ts
        yield due, record


class _Sender:
    """Sends one batch per partition at a time, so a repeated batch cannot overtake the next."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, partition_of: PartitionOf) -> None:
        self._producer = producer
        self._prefix = prefix
        self._partition_of = partition_of
        self._partitions: dict[str, int] = {}
        self._pending: dict[tuple[str, int], asyncio.Task[None]] = {}
        self.acknowledged: Counter[str] = Counter()

    async def send(self, records: list[Record]) -> None:
        by_partition: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
        partitions = self._partitions
        for record in records:
            topic = record.topic
            if topic not in partitions:
                partitions[topic] = len(await self._producer.partitions_for(self._prefix + topic))
            by_partition[topic, self._partition_of(record.key, partitions[topic])].append(record)
        for place, its_records in by_partition.items():
            if place in self._pending:
                # a cancelled replay does not cancel what was sent
                await asyncio.shield(self._pending[place])
            self._pending[place] = asyncio.create_task(self._deliver(place, its_records))

    async def flush(self) -> None:
        for task in self._pending.values():
            await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait for the answers to everything that was sent, and ignore their errors."""
        if self._pending:
            done, late = await asyncio.wait(self._pending.values(), timeout=FLUSH_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*done, *late, return_exceptions=True)

    async def _deliver(self, place: tuple[str, int], records: list[Record]) -> None:
        sent = 0
        while sent < len(records):
            taken = await self._send_batch(place, records[sent:] if sent else records)
            self.acknowledged[place[0]] += taken
            sent += taken

    async def _send_batch(self, place: tuple[str, int], records: list[Record]) -> int:
        """Send as many of the records as fit into one batch. Returns their number."""
        topic, partition = place
        for attempt in range(1, ATTEMPTS + 1):
            batch = self._producer.create_batch()
            append = batch.append
            taken = 0
            for _, key, value, _, headers, _, _ in records:
                if append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                    break
                taken += 1
            try:
                answer = await self._producer.send_batch(batch, self._prefix + topic, partition=partition)
                await answer
            except KafkaError as error:
                if attempt == ATTEMPTS or not (error.retriable or isinstance(error, KafkaTimeoutError)):
                    raise
                logger.warning("Kafka did not accept %d records for %s (%r); sending them again", taken, topic, error)
                await asyncio.sleep(ATTEMPT_PAUSE_SECONDS)
            else:
                break
        return taken


def _advice(error: KafkaError, acknowledged: int) -> str:
    if isinstance(error, MessageSizeTooLargeError):
        advice = "raise max.message.bytes of the topic (and HEADRACE_KAFKA_MAX_MESSAGE_BYTES), or split the file"
    else:
        advice = "look at the broker, then send the file again: repeated events count once"
    return f"Kafka stopped taking records after {acknowledged} of them: {error!r}; {advice}"

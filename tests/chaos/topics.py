"""The suite's own Kafka clients: one that sends the log, and readers of what came of it.

Their client id tells links to leave them alone.
"""

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    TopicPartition,
)

from app.concerns import KafkaSettings
from chaos.links import SPARED
from chaos.records import SOURCES, Logged, Place, Planned
from chaos.stored import short_name

CLIENT_ID = SPARED.decode()
TICK_SECONDS = 0.05
AT_ONCE = 5_000


@dataclass(slots=True)
class Sender:
    """Sends records at a steady rate from a thread of its own until it is told to end."""

    kafka: KafkaSettings
    records: Iterator[Planned]
    rate: float
    first: int
    sent: list[Planned] = field(default_factory=list)
    error: BaseException | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Send no more, and wait until the broker has everything. Raises what went wrong."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as error:  # told to whoever waits in `end`
            self.error = error

    async def _send(self) -> None:
        """The first records as fast as it goes, the others one by one; all count as sent once
        acknowledged.
        """
        producer = AIOKafkaProducer(
            bootstrap_servers=self.kafka.bootstrap, client_id=CLIENT_ID, acks="all", request_timeout_ms=60_000
        )
        async with producer:
            began, waiting = time.monotonic(), []
            while not self._is_over.is_set():
                due = self.first + int((time.monotonic() - began) * self.rate)
                while len(self.sent) < due:
                    record = next(self.records)
                    name = self.kafka.topic_prefix + record.topic
                    waiting.append(await producer.send(name, record.value, record.key))
                    self.sent.append(record)
                await asyncio.sleep(TICK_SECONDS)
            await producer.flush()
            await asyncio.gather(*waiting)


@asynccontextmanager
async def _consumer(kafka: KafkaSettings, names: Sequence[str], **more: Any) -> "Any":
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, client_id=CLIENT_ID, enable_auto_commit=False, **more
    )
    await consumer.start()
    try:
        places = [TopicPartition(kafka.topic_prefix + name, n) for name in names for n in range(kafka.partitions)]
        consumer.assign(places)
        yield consumer, places
    finally:
        await consumer.stop()


async def read_topics(kafka: KafkaSettings, names: Iterable[str]) -> list[Logged]:
    """All records that the topics hold now, partition after partition."""
    found: list[Logged] = []
    async with _consumer(kafka, list(names), max_partition_fetch_bytes=8 << 20) as (consumer, places):
        await consumer.seek_to_beginning(*places)
        for place, end in (await consumer.end_offsets(places)).items():
            # The embedded broker puts the end just behind the first record of the last batch; a
            # fetch tells it.
            while await consumer.position(place) < max(end, consumer.highwater(place) or 0):
                records = (await consumer.getmany(place, timeout_ms=1_000, max_records=AT_ONCE)).get(place, [])
                found += map(_logged, records)
    return found


async def behind(kafka: KafkaSettings, log: Iterable[Logged]) -> dict[str, int]:
    """By partition of the source topics, how many records of `log` the group has not committed;
    empty if none.
    """
    ends: dict[tuple[str, int], int] = {}
    for record in log:
        topic, partition, offset = record.place
        ends[topic, partition] = max(ends.get((topic, partition), 0), offset + 1)
    async with _consumer(kafka, SOURCES, group_id=kafka.group) as (consumer, _):
        rows = {
            f"{topic}-{partition}": end
            - (await consumer.committed(TopicPartition(kafka.topic_prefix + topic, partition)) or 0)
            for (topic, partition), end in ends.items()
        }
    return {name: rest for name, rest in rows.items() if rest > 0}


def _logged(record: Any) -> Logged:
    return Logged(
        place=Place(short_name(record.topic), record.partition, record.offset),
        key=record.key,
        value=record.value,
        time=record.timestamp / 1000,
        headers=tuple(record.headers),
    )

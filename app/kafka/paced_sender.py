"""Sends events one by one as they fall due: what waits for a partition makes its next batch."""

import asyncio
import time
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types

from app.datasets.record import Record
from app.errors import HeadraceError
from app.kafka.partitioning import by_murmur2
from app.kafka.topics import SOURCES


@dataclass(slots=True)
class PacedSender:
    """Hands events to the producer, partition by partition, and notes when the broker had them."""

    producer: AIOKafkaProducer
    prefix: str
    acknowledged: list[float] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    _waiting: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    _tasks: dict[tuple[str, int], "asyncio.Task[None]"] = field(default_factory=dict)

    async def find_partitions(self) -> None:
        """Ask Kafka how many partitions each topic has."""
        for topic in SOURCES:
            self._counts[topic] = len(await self.producer.partitions_for(self.prefix + topic))

    def put(self, record: Record) -> None:
        """Send a record, or keep it until the batch before it has arrived."""
        place = record.topic, by_murmur2(record.key, self._counts[record.topic])
        self._waiting.setdefault(place, []).append(record)
        task = self._tasks.get(place)
        if task is None or (task.done() and task.exception() is None):
            self._tasks[place] = asyncio.create_task(self._deliver(place))

    async def drain(self) -> None:
        """Wait until the broker has everything. Raises HeadraceError when it does not take it."""
        try:
            await asyncio.gather(*self._tasks.values())
        except KafkaError as error:
            raise HeadraceError(f"Kafka does not take the events: {error!r}; see the broker's log") from error

    async def _deliver(self, place: tuple[str, int]) -> None:
        topic, partition = place
        while records := self._waiting.pop(place, None):
            batch, sent = self.producer.create_batch(), 0
            for record in records:
                if batch.append(timestamp=None, key=record.key, value=record.value, headers=[]) is None:
                    break
                sent += 1
            if records[sent:]:
                self._waiting[place] = records[sent:] + self._waiting.get(place, [])
            await (await self.producer.send_batch(batch, self.prefix + topic, partition=partition))
            now = time.time()
            self.acknowledged += [now - (record.ts or now) for record in records[:sent]]

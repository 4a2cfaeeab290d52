"""Sends quarantined records to their sources again, and marks them in the quarantine."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.failure import as_kafka_away
from app.kafka.outbox import make_batch_producer
from app.kafka.whole_log import whole_log
from models.contract.quarantined import Quarantined, ReplayMark

QUARANTINE = "quarantine"
REPLAYED_ID = "replayed"  # the header of a record that was sent again: its id in the quarantine


@dataclass(frozen=True, slots=True)
class QuarantineWriter:
    """Writes to Kafka and waits until the broker has it. Every method raises KafkaAway."""

    producer: AIOKafkaProducer
    prefix: str

    async def mark(self, partition: int, mark: ReplayMark) -> None:
        """Append a mark to a partition of the quarantine."""
        value, headers = mark.record()
        with as_kafka_away():
            await self.producer.send_and_wait(self.prefix + QUARANTINE, value, partition=partition, headers=headers)

    async def send(self, records: Sequence[Quarantined]) -> None:
        """Append records to the partitions that they came from, with their bytes untouched."""
        with as_kafka_away():
            sent = [
                await self.producer.send(
                    self.prefix + each.topic,
                    each.value,
                    each.key,
                    partition=each.partition,
                    headers=[(REPLAYED_ID, each.record_id.encode())],
                )
                for each in records
            ]
            await asyncio.gather(*sent)


@asynccontextmanager
async def quarantine_writer(settings: KafkaSettings) -> AsyncIterator[QuarantineWriter]:
    """Yield a writer on the configured Kafka. Raises KafkaAway."""
    producer = make_batch_producer(settings)
    with as_kafka_away():
        await producer.start()
    try:
        yield QuarantineWriter(producer, settings.topic_prefix)
    finally:
        await producer.stop()


async def find_sent(settings: KafkaSettings, topics: Collection[str], ids: Collection[str]) -> set[str]:
    """Return those of these ids under which a record was sent again to one of the topics.

    Reads the topics, which are named without their prefix, whole. Raises HeadraceError.
    """
    found: set[str] = set()
    for name in topics:
        async with whole_log(settings, name, lambda share: None) as log, aclosing(log.read()) as batches:
            async for batch in batches:
                said = (dict(headers).get(REPLAYED_ID, b"") for headers in batch.headers)
                found.update(each.decode(errors="replace") for each in said if each)
    return found.intersection(ids)

"""Reads a partition of `items` or `vectors` again, outside any group, when a store lost data."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.consumer_stop import stop_consumer
from app.kafka.log_end import fetched_end, log_ends, true_end
from app.kafka.raw_batch import to_raw_batch
from app.kafka.replicas import POLL_MILLISECONDS
from app.kafka.topics import topics
from app.kafka.unreadable import explained
from app.retry import Retry
from models.contract.events import RawBatch


@dataclass(frozen=True, slots=True)
class KafkaCatalogueLog:
    """Implements the `CatalogueLog` port on Kafka."""

    settings: KafkaSettings
    retry: Retry

    def items(self, partition: int, start: int) -> AsyncGenerator[RawBatch, None]:
        """Yield the records of `items` of this partition, from this offset to the log's end."""
        return self._read(TopicPartition(topics(self.settings).items, partition), start)

    def vectors(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        """Yield all records of `vectors` of this partition: the assessments of its items."""
        return self._read(TopicPartition(topics(self.settings).vectors, partition), 0)

    async def _read(self, place: TopicPartition, start: int) -> AsyncGenerator[RawBatch, None]:
        async with self._consumer() as consumer:
            consumer.assign([place])
            consumer.seek(place, start)
            answered, end = (await self.retry(lambda: log_ends(consumer, [place])))[place], None
            while end is None or await consumer.position(place) < end:
                with explained(consumer):
                    batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
                if end is None and (fetched := fetched_end(consumer, place)) is not None:
                    end = true_end(answered, fetched)
                for records in batches.values():
                    yield to_raw_batch(place.topic, place.partition, records)

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=self.settings.max_message_bytes,
            max_poll_records=self.settings.fetch_max_records,
            fetch_max_wait_ms=POLL_MILLISECONDS,
        )
        try:
            await self.retry(consumer.start)
            yield consumer
        finally:
            await stop_consumer(consumer, consumer.stop)

"""Reads a partition of `items` or `vectors` once more, outside any group, for a store that lost what was in it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.replicas import POLL_MILLISECONDS, raw_batch
from app.retry import Retry
from app.topics import topics
from models.events import RawBatch


@dataclass(frozen=True, slots=True)
class KafkaCatalogueLog:
    """The `CatalogueLog` port on Kafka."""

    settings: KafkaSettings
    retry: Retry

    def items(self, partition: int, start: int) -> AsyncGenerator[RawBatch, None]:
        """What the shop said of its items, from this offset."""
        return self._read(TopicPartition(topics(self.settings).items, partition), start)

    def vectors(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        """What the models said of the items of this partition."""
        return self._read(TopicPartition(topics(self.settings).vectors, partition), 0)

    async def _read(self, place: TopicPartition, start: int) -> AsyncGenerator[RawBatch, None]:
        async with self._consumer() as consumer:
            consumer.assign([place])
            consumer.seek(place, start)
            while True:
                fetched = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
                for records in fetched.values():
                    yield raw_batch(place, records)
                # Asked once what came before is handled: nobody else can have handled anything behind that end.
                end = (await self.retry(lambda: consumer.end_offsets([place])))[place]
                # Tansu names the first offset after the beginning of its last batch; a fetch tells the real end.
                if await consumer.position(place) >= max(end, consumer.highwater(place) or 0):
                    return

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=self.settings.max_message_bytes,
            max_poll_records=self.settings.fetch_max_records,
        )
        try:
            await self.retry(consumer.start)
            yield consumer
        finally:
            await consumer.stop()

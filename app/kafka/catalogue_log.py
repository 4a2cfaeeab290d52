"""Reads a partition of `items` or `vectors` again, outside any group, when a store lost data."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.log_span import read_span
from app.kafka.raw_batch import to_raw_batch
from app.kafka.topics import topics
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
        async with aclosing(read_span(self.settings, self.retry, place, start)) as spans:
            async for records in spans:
                yield to_raw_batch(place.topic, place.partition, records)

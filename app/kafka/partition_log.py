"""Reads a partition of `interactions` for its owner, and rewrites it without forgotten users."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import TopicPartition  # type: ignore[import-untyped]  # aiokafka ships no types

from app.concerns import KafkaSettings
from app.kafka.log_span import read_span
from app.kafka.outbox import KafkaOutbox
from app.kafka.raw_batch import to_raw_batch
from app.kafka.removal import remove_before
from app.retry import Retry
from models.contract.events import RawBatch
from models.contract.forgetting import without_forgotten

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KafkaPartitionLog:
    """The `PartitionLog` port on Kafka."""

    settings: KafkaSettings
    outbox: KafkaOutbox
    retry: Retry

    async def read(self, partition: int) -> AsyncGenerator[RawBatch, None]:
        """Yield all records, from the beginning to the end as it is now."""
        place = TopicPartition(self.outbox.topics.interactions, partition)
        async with aclosing(read_span(self.settings, self.retry, place, 0)) as spans:
            async for records in spans:
                yield to_raw_batch(place.topic, place.partition, records)

    async def rewrite(self, partition: int, forgotten: Mapping[str, int]) -> bool:
        """Append all records again without those of forgotten users, then remove the old ones.

        A reader takes each copy for a repeat of its original, or learns it in the original's place.
        That holds only if nothing stands between originals and copies, so nothing is removed where
        another process, which lost the partition, appended meanwhile.
        """
        place = TopicPartition(self.outbox.topics.interactions, partition)
        if reason := await remove_before(self.settings, {place: 0}):
            logger.warning("Kafka does not remove records of %s-%d: %s", place.topic, partition, reason)
            return False
        end, first, count = 0, -1, 0
        async with aclosing(self.read(partition)) as batches:
            async for batch in batches:
                end = int(batch.offsets[-1]) + 1
                copied = without_forgotten(batch, forgotten)
                if copied:
                    start = await self.outbox.append_again(partition, copied)
                    first = start if first < 0 else first
                    if start != first + count:
                        break
                    count += len(copied)
            else:
                if first in (-1, end):
                    return not await remove_before(self.settings, {place: end})
        logger.warning("%s-%d keeps its old records: others appended to it meanwhile", place.topic, partition)
        return False

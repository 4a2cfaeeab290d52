"""Reads a partition again, from an offset on, outside any group."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.clients import make_consumer
from app.kafka.consumer_stop import stop_consumer
from app.kafka.log_end import fetched_end, log_ends, true_end
from app.kafka.raw_batch import to_raw_batch
from app.kafka.replicas import POLL_MILLISECONDS
from app.kafka.unreadable import explained
from app.retry import Retry
from models.contract.events import RawBatch


async def read_span(
    settings: KafkaSettings, retry: Retry, place: TopicPartition, start: int
) -> AsyncGenerator[Sequence[ConsumerRecord], None]:
    """The records of a partition from an offset to the end as it is now, as they are fetched."""
    async with _consumer(settings, retry) as consumer:
        consumer.assign([place])
        consumer.seek(place, start)
        answered, end = (await retry(lambda: log_ends(consumer, [place])))[place], None
        while end is None or await consumer.position(place) < end:
            with explained(consumer):
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
            if end is None and (fetched := fetched_end(consumer, place)) is not None:
                end = true_end(answered, fetched)
            for records in batches.values():
                yield records


@dataclass(frozen=True, slots=True)
class KafkaEventLog:
    """The `EventLog` port on Kafka."""

    settings: KafkaSettings
    retry: Retry

    async def read(self, topic: str, partition: int, first: int, last: int) -> RawBatch:
        """The records from offset `first` to `last`, both included, as far as they are there."""
        place = TopicPartition(topic, partition)
        found: list[ConsumerRecord] = []
        async with aclosing(read_span(self.settings, self.retry, place, first)) as spans:
            async for records in spans:
                found += [record for record in records if first <= record.offset <= last]
                if records[-1].offset >= last:
                    break
        return to_raw_batch(topic, partition, found)


@asynccontextmanager
async def _consumer(settings: KafkaSettings, retry: Retry) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = make_consumer(
        settings,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=settings.max_message_bytes,
        max_poll_records=settings.fetch_max_records,
        fetch_max_wait_ms=POLL_MILLISECONDS,
    )
    try:
        await retry(consumer.start)
        yield consumer
    finally:
        await stop_consumer(consumer, consumer.stop)

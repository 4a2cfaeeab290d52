"""The newest records of topics, for a look at what producers send."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.clients import make_consumer
from app.kafka.failure import as_kafka_away
from app.kafka.listed import listed_partitions
from app.kafka.log_end import log_ends
from app.kafka.raw_batch import to_raw_batch
from app.kafka.unreadable import explained
from models.contract.events import RawBatch

POLL_MILLISECONDS = 1_000
REQUEST_MILLISECONDS = 5_000


async def read_newest(settings: KafkaSettings, names: Iterable[str], count: int) -> list[RawBatch]:
    """At least the newest `count` records of each partition, or all that it has; nothing of topics
    that do not exist.

    Raises KafkaAway and UnreadableRecords.
    """
    with as_kafka_away():
        consumer = make_consumer(
            settings,
            request_timeout_ms=REQUEST_MILLISECONDS,
            max_partition_fetch_bytes=settings.max_message_bytes,
        )
        try:
            await consumer.start()
            places = await listed_partitions(consumer, [settings.topic_prefix + name for name in names])
            return await _read(consumer, places, count) if places else []
        finally:
            await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, places: list[TopicPartition], count: int) -> list[RawBatch]:
    consumer.assign(places)
    begins, ends = await consumer.beginning_offsets(places), await log_ends(consumer, places)
    for place in places:
        consumer.seek(place, max(begins[place], ends[place] - count))
    missing = {place for place in places if ends[place] > begins[place]}
    records: dict[TopicPartition, list[ConsumerRecord]] = {}
    with explained(consumer):
        while missing and (fetched := await consumer.getmany(*missing, timeout_ms=POLL_MILLISECONDS)):
            for place, some in fetched.items():
                records.setdefault(place, []).extend(some)
                if some[-1].offset + 1 >= ends[place]:
                    missing.discard(place)
    return [to_raw_batch(place.topic, place.partition, some) for place, some in records.items()]

"""Reads a whole topic once, outside any group."""

import time
from collections.abc import AsyncIterator

from app.concerns import KafkaSettings
from app.kafka.clients import make_consumer
from app.kafka.group_offsets import partitions_of

POLL_MILLISECONDS = 1_000


async def read_from_beginning(
    kafka: KafkaSettings, topic: str, stall_seconds: float
) -> AsyncIterator[list[tuple[int, bytes]]]:
    """Read (Kafka's time in milliseconds, value) of all records of a topic, in batches.

    Ends when nothing came for `stall_seconds`. `topic` is the name without its prefix.
    """
    places = await partitions_of(kafka, [topic])
    consumer = make_consumer(kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(places)
        since = time.monotonic()
        while time.monotonic() - since <= stall_seconds:
            fetched = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
            for records in fetched.values():
                yield [(record.timestamp, record.value) for record in records]
            since = time.monotonic() if fetched else since
    finally:
        await consumer.stop()

"""Where the events of a measurement stand in Kafka, and how far a group has committed them."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.topics import SOURCES, create_topics

COMMIT_SECONDS = 30.0
POLL_SECONDS = 0.1
POLL_MILLISECONDS = 1000


async def partitions_of(kafka: KafkaSettings, names: Iterable[str] = SOURCES) -> list[TopicPartition]:
    """All partitions of these topics; views, clicks and orders when none are named. Raises HeadraceError."""
    counts = await create_topics(kafka)
    full_names = [kafka.topic_prefix + name for name in names]
    return [TopicPartition(name, number) for name in full_names for number in range(counts[name])]


async def wait_until_committed(kafka: KafkaSettings, events: int) -> None:
    """Return when the group has committed all events. Raises HeadraceError when it does not within 30 s.

    The events are counted against what was sent, not against the ends of the partitions: for those, the embedded
    broker answers with the beginning of the last batch.
    """
    places = await partitions_of(kafka)
    async with _group_member(kafka) as consumer:
        deadline = time.monotonic() + COMMIT_SECONDS
        while (committed := sum([await consumer.committed(place) or 0 for place in places])) != events:
            if time.monotonic() > deadline:
                raise HeadraceError(f"{committed:,} of {events:,} events were committed within {COMMIT_SECONDS:g} s")
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def _group_member(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        group_id=kafka.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()

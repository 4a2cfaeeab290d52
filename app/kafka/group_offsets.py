"""Reads how far the consumer group is: its lag, and the time of the newest event."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.clients import make_consumer
from app.kafka.failure import as_kafka_away
from app.kafka.listed import listed_partitions
from app.kafka.log_end import fetched_end, log_ends, true_end
from app.kafka.topics import SOURCES, create_topics
from app.kafka.unreadable import explained

ITEMS = "items"
MOVED = "moved"
COMMIT_SECONDS = 30.0
POLL_SECONDS = 0.1
POLL_MILLISECONDS = 1_000
REQUEST_MILLISECONDS = 5_000
# The last record is the first of these offsets before the end; behind it stand the markers of
# transactions, one for each producer that ended one.
LAST_OFFSETS = (1, 16)


@dataclass(frozen=True, slots=True)
class GroupLag:
    """How many records of events and items wait for the group.

    `started` is the number of partitions for which the group has committed an offset. `newest` is
    the time of the newest event by Kafka's clock, in seconds since 1970; None when there is no
    event. `removed` are the offsets that the group has not read and Kafka has no more, `beyond` the
    partitions that end before what the group committed.
    """

    records: int
    started: int
    newest: float | None
    removed: int = 0
    beyond: tuple[str, ...] = ()


async def read_group_lag(settings: KafkaSettings) -> GroupLag | None:
    """Return the lag of the group over events and items; None when these topics do not exist.

    Raises KafkaAway.
    """
    with as_kafka_away():
        consumer = make_consumer(
            settings,
            group_id=settings.group,
            request_timeout_ms=REQUEST_MILLISECONDS,
            max_partition_fetch_bytes=settings.max_message_bytes,
        )
        try:
            await consumer.start()
            places = await _existing_places(consumer, settings)
            return await _lag(consumer, places) if places else None
        finally:
            await consumer.stop()


async def partitions_of(kafka: KafkaSettings, names: Iterable[str] = SOURCES) -> list[TopicPartition]:
    """Return all partitions of these topics, by default those of events.

    Raises HeadraceError.
    """
    counts = await create_topics(kafka)
    full_names = [kafka.topic_prefix + name for name in names]
    return [TopicPartition(name, number) for name in full_names for number in range(counts[name])]


async def wait_until_committed(kafka: KafkaSettings, events: int) -> None:
    """Wait until the group has committed `events` events.

    Raises HeadraceError when that takes more than 30 s. The committed offsets are compared with the
    number of events that were sent, not with the ends of the partitions: nothing is fetched here,
    so the ends may be too low (`app/kafka/log_end.py`).
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
    consumer = make_consumer(kafka, group_id=kafka.group, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _existing_places(consumer: AIOKafkaConsumer, settings: KafkaSettings) -> list[TopicPartition]:
    return await listed_partitions(consumer, [settings.topic_prefix + name for name in (*SOURCES, MOVED, ITEMS)])


async def _lag(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> GroupLag:
    consumer.assign(places)
    begins, ends = await consumer.beginning_offsets(places), await log_ends(consumer, places)
    found: dict[TopicPartition, list[ConsumerRecord]] = {}
    for back in LAST_OFFSETS:
        missing = {place for place in places if ends[place] > begins[place] and place not in found}
        for place in missing:
            consumer.seek(place, max(begins[place], ends[place] - back))
        found |= await _last_records(consumer, missing)
    # The time of an item's record may be its producer's.
    records = [record for place, last in found.items() if not place.topic.endswith(ITEMS) for record in last]
    lag = started = removed = 0
    beyond = []
    for place in places:
        done = await consumer.committed(place)
        started += done is not None
        end = true_end(ends[place], fetched_end(consumer, place))
        lag += max(0, end - max(done or 0, begins[place]))
        removed += max(0, begins[place] - done) if done is not None else 0
        # What a fetch did not confirm may be too low.
        if done is not None and done > end and fetched_end(consumer, place) is not None:
            beyond.append(f"{place.topic}-{place.partition}")
    newest = max((record.timestamp for record in records), default=None)
    return GroupLag(lag, started, None if newest is None else newest / 1000, removed, tuple(beyond))


async def _last_records(
    consumer: AIOKafkaConsumer, places: Iterable[TopicPartition]
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """Return the records of each partition from where it was sought, if Kafka gives them at
    once.
    """
    missing = set(places)
    found: dict[TopicPartition, list[ConsumerRecord]] = {}
    with explained(consumer):
        while missing and (fetched := await consumer.getmany(*missing, timeout_ms=POLL_MILLISECONDS)):
            found |= fetched
            missing -= fetched.keys()
    return found

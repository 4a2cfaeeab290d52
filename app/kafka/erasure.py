"""Removes users from topics as far as Kafka allows, and looks for what is left of them.

Kafka appends and removes whole beginnings of partitions; it does not change a record. So records of
some users go only together with all that was appended before them, unless the others are appended
again behind them.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # no types

from app.concerns import KafkaSettings
from app.kafka.clients import make_consumer
from app.kafka.failure import as_kafka_away
from app.kafka.listed import listed_partitions
from app.kafka.log_end import log_ends
from app.kafka.outbox import make_batch_producer
from app.kafka.removal import remove_before
from app.kafka.topics import SOURCES
from app.kafka.whole_log import whole_log
from models.contract.events import RawBatch
from models.contract.forgetting import mentions

READ_ONCE = (*SOURCES, "moved", "forget")  # what the group has committed, no worker reads again
REQUEST_MILLISECONDS = 10_000
COMMIT_SECONDS = 10.0
POLL_SECONDS = 0.2


@dataclass(slots=True)
class Left:
    """How many records of a topic mention users, and the newest one's time in seconds since
    1970.
    """

    records: int = 0
    newest: float = 0.0


async def search_topic(
    settings: KafkaSettings, name: str, user_ids: Sequence[str], progress: Callable[[float], None]
) -> Left:
    """Read a whole topic, and count the records that mention one of the users. Raises
    HeadraceError.
    """
    left = Left()
    async with whole_log(settings, name, progress) as log, aclosing(log.read()) as batches:
        async for batch in batches:
            rows = _mentioning(batch, user_ids)
            left.records += len(rows)
            left.newest = max([left.newest, *(float(batch.times[row]) for row in rows)])
    return left


async def rewrite_quarantine(
    settings: KafkaSettings, user_ids: Sequence[str], progress: Callable[[float], None]
) -> tuple[int, str]:
    """Append what does not mention the users again, then remove all that was there before.

    Returns how many records were dropped, and why nothing was removed. Readers of `quarantine` see
    the other records again, with their times. Raises HeadraceError.
    """
    async with whole_log(settings, "quarantine", progress) as log:
        dropped, ends = 0, dict[TopicPartition, int]()
        async with aclosing(log.read()) as batches:
            async for batch in batches:
                dropped += len(_mentioning(batch, user_ids))
                ends[TopicPartition(batch.topic, batch.partition)] = int(batch.offsets[-1]) + 1
        if not dropped:
            return 0, ""
        if reason := await remove_before(settings, dict.fromkeys(ends, 0)):
            return 0, reason
        log.rewind()
        with as_kafka_away():
            producer = make_batch_producer(settings)
            await producer.start()
            try:
                async with aclosing(log.read()) as batches:
                    async for batch in batches:
                        end = ends.get(TopicPartition(batch.topic, batch.partition), 0)
                        await _append_again(producer, batch, end, set(_mentioning(batch, user_ids)))
            finally:
                await producer.stop()
        reason = await remove_before(settings, ends)
    return (0, reason) if reason else (dropped, "")


async def remove_read(settings: KafkaSettings, names: Sequence[str]) -> str:
    """Remove all records of these topics that the workers' group has read; of topics that it does
    not read, all.

    Waits up to 10 s until the group has committed what the topics hold now. Returns why nothing was
    removed, or an empty text. Raises KafkaAway.
    """
    with as_kafka_away():
        consumer = make_consumer(settings, group_id=settings.group, request_timeout_ms=REQUEST_MILLISECONDS)
        await consumer.start()
        try:
            offsets = await _read_offsets(consumer, settings, names)
        finally:
            await consumer.stop()
    return await remove_before(settings, offsets) if offsets else ""


async def _read_offsets(
    consumer: AIOKafkaConsumer, settings: KafkaSettings, names: Sequence[str]
) -> Mapping[TopicPartition, int]:
    topics = {settings.topic_prefix + name: name in READ_ONCE for name in names}
    places = await listed_partitions(consumer, topics)
    consumer.assign(places)
    ends = await log_ends(consumer, places)
    offsets, deadline = dict(ends), monotonic() + COMMIT_SECONDS
    while True:
        for place in places:
            if topics[place.topic]:
                offsets[place] = await consumer.committed(place) or 0
        if all(offsets[place] >= end for place, end in ends.items()) or monotonic() > deadline:
            return {place: offset for place, offset in offsets.items() if offset}
        await asyncio.sleep(POLL_SECONDS)


async def _append_again(producer: AIOKafkaProducer, batch: RawBatch, end: int, dropped: Collection[int]) -> None:
    """Append the records before offset `end` again, but for those in the rows `dropped`."""
    sent = [
        await producer.send(
            batch.topic,
            batch.values[row],
            batch.keys[row],
            partition=batch.partition,
            timestamp_ms=round(float(batch.times[row]) * 1000),
            headers=list(batch.headers[row]),
        )
        for row in np.flatnonzero(batch.offsets < end).tolist()
        if row not in dropped
    ]
    for each in sent:
        await each


def _mentioning(batch: RawBatch, user_ids: Sequence[str]) -> list[int]:
    return [
        row
        for row, (key, value) in enumerate(zip(batch.keys, batch.values, strict=True))
        if any(mentions(user, key, value) for user in user_ids)
    ]

"""Reads the topic `ranker` whole, and appends to it what an operator decided."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from app.concerns import KafkaSettings
from app.kafka.clients import make_producer
from app.kafka.failure import KafkaAway, as_kafka_away
from app.kafka.login_fault import kafka_away
from app.kafka.topics import topics
from app.kafka.whole_log import whole_log
from models.ranker.published import PublishedWeights


def read_published(settings: KafkaSettings, progress: Callable[[float], None]) -> PublishedWeights:
    """What the topic holds. Raises HeadraceError, also where the topic does not exist."""
    return asyncio.run(_read(settings, progress))


def publish(settings: KafkaSettings, key: bytes, value: bytes | None) -> None:
    """Append one record. Returns when the broker has it. Raises HeadraceError."""
    asyncio.run(_publish(settings, key, value))


async def _read(settings: KafkaSettings, progress: Callable[[float], None]) -> PublishedWeights:
    found = PublishedWeights()
    async with whole_log(settings, "ranker", progress) as log, aclosing(log.read()) as batches:
        async for batch in batches:
            found.add(zip(batch.keys, batch.values, strict=True))
    return found


async def _publish(settings: KafkaSettings, key: bytes, value: bytes | None) -> None:
    try:
        with as_kafka_away():
            producer = make_producer(settings, acks="all", linger_ms=0)
            try:
                await producer.start()
                await producer.send_and_wait(topics(settings).ranker, value, key=key, partition=0)
            finally:
                await producer.stop()
    except KafkaAway as error:
        raise await kafka_away(settings, error, "") from error

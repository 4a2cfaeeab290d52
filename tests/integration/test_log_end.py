"""The true end of a partition is known after a fetch, also with the embedded broker."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    TopicPartition,
)
from apache_kafka import ON_APACHE_KAFKA

from app.concerns import KafkaSettings
from app.kafka.group_offsets import read_group_lag
from app.kafka.log_end import fetched_end, log_ends
from app.kafka.topics import create_topics, topics

RECORDS = 5


@pytest.fixture
async def place(kafka: KafkaSettings) -> TopicPartition:
    """A partition that holds five records, appended as one record batch."""
    await create_topics(kafka)
    found = TopicPartition(topics(kafka).views, 1)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        for _ in range(RECORDS):
            batch.append(key=b"k", value=b"v", timestamp=None)
        await (await producer.send_batch(batch, found.topic, partition=found.partition))
    finally:
        await producer.stop()
    return found


@pytest.fixture
async def consumer(kafka: KafkaSettings, place: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    found = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await found.start()
    found.assign([place])
    yield found
    await found.stop()


async def test_after_a_fetch_the_end_is_right_though_the_broker_answers_too_low(
    consumer: AIOKafkaConsumer, place: TopicPartition
) -> None:
    # When the embedded broker answers as Apache Kafka does, delete app/kafka/log_end.py.
    assert await consumer.end_offsets([place]) == {place: RECORDS if ON_APACHE_KAFKA else 1}
    assert len((await consumer.getmany(place, timeout_ms=5000))[place]) == RECORDS
    assert fetched_end(consumer, place) == RECORDS
    assert await log_ends(consumer, [place]) == {place: RECORDS}


async def test_the_lag_of_a_group_counts_every_record_of_the_last_batch(
    kafka: KafkaSettings, place: TopicPartition
) -> None:
    lag = await read_group_lag(kafka)
    assert lag is not None
    assert lag.records == RECORDS

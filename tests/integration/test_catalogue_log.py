"""The log of the catalogue is read again: each partition alone, from an offset to its end."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from memory_marks import MemoryMarks
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from agents.restore import ReadSpan, Restore, StoredMark
from app.concerns import KafkaSettings
from app.health import Health
from app.kafka.catalogue_log import KafkaCatalogueLog
from app.kafka.failure import kafka_retry_errors
from app.kafka.outbox import KafkaOutbox, make_batch_producer
from app.kafka.replicas import POLL_MILLISECONDS
from app.kafka.topics import create_topics, topics
from app.retry import Retry
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from models.contract.event_codec import EventSettings
from models.quality.assessment import Assessment, decode_assessment

RETRY = Retry("Kafka", kafka_retry_errors(), Health(), Metrics(CollectorRegistry()).retries)
PARTITION = 1


@pytest.fixture
async def outbox(kafka: KafkaSettings) -> AsyncIterator[KafkaOutbox]:
    await create_topics(kafka)
    producer = make_batch_producer(kafka)
    await producer.start()
    yield KafkaOutbox(producer, topics(kafka), RETRY)
    await producer.stop()


async def add_items(outbox: KafkaOutbox, *values: bytes | None, partition: int = PARTITION) -> None:
    for value in values:
        await outbox.producer.send_and_wait(outbox.topics.items, value, key=b"i", partition=partition)


async def items_of(kafka: KafkaSettings, start: int) -> list[tuple[int, bytes | None]]:
    batches = [batch async for batch in KafkaCatalogueLog(kafka, RETRY).items(PARTITION, start)]
    return [pair for batch in batches for pair in zip(batch.offsets.tolist(), batch.values, strict=True)]


async def test_a_partition_is_read_from_its_beginning_or_an_offset_to_its_end(
    kafka: KafkaSettings, outbox: KafkaOutbox
) -> None:
    await add_items(outbox, b"0", None, b"2")
    await add_items(outbox, b"another partition's", partition=0)
    assert await items_of(kafka, 0) == [(0, b"0"), (1, None), (2, b"2")]
    assert await items_of(kafka, 2) == [(2, b"2")]
    assert await items_of(kafka, 3) == []


async def test_nothing_is_read_of_an_empty_partition(kafka: KafkaSettings, outbox: KafkaOutbox) -> None:
    assert await items_of(kafka, 0) == []


async def test_what_arrives_while_it_is_read_is_left_to_the_next_reader(
    kafka: KafkaSettings, outbox: KafkaOutbox
) -> None:
    await add_items(outbox, b"0", b"1")
    found: list[bytes | None] = []
    async for batch in KafkaCatalogueLog(kafka, RETRY).items(PARTITION, 0):
        if not found:
            await add_items(outbox, b"later")
        found += batch.values
    assert found == [b"0", b"1"]
    assert [value for _, value in await items_of(kafka, 2)] == [b"later"]


async def test_a_lost_partition_comes_back_though_the_shop_never_rests(
    kafka: KafkaSettings, outbox: KafkaOutbox, redis_url: str
) -> None:
    marks, back, keys = MemoryMarks(), asyncio.Event(), Keys(f"test-{uuid4().hex}:")

    async def lost(partition: int, offset: int) -> None:
        """Do nothing: there are no other things to write again."""

    async def prices() -> None:
        """Send the next upsert always within the time that a reader waits for it."""
        while not back.is_set():
            await add_items(outbox, b'{"item_id":"mug","title":"Mug"}')
            await asyncio.sleep(POLL_MILLISECONDS / 2_000)

    await add_items(outbox, b'{"item_id":"jug","title":"Jug"}')
    async with PackedRedis.from_url(redis_url) as redis:
        restore = Restore(
            EventSettings(), marks, KafkaCatalogueLog(kafka, RETRY), RedisItems(redis, keys, RETRY),
            lambda: {PARTITION: ReadSpan(1, 1)}, lambda: "me", lost, lambda *_: back.set(),
        )  # fmt: skip
        shop = asyncio.create_task(prices())
        try:
            async with asyncio.timeout(10):
                await restore.check()
        finally:
            back.set()
            await shop
        assert await redis.exists(keys.item("jug"))
    assert StoredMark.parse(marks.marks[PARTITION]).whole


async def test_assessments_come_with_what_the_headers_say(kafka: KafkaSettings, outbox: KafkaOutbox) -> None:
    assessment = Assessment("ab" * 8, "m", b"\0\0", "j", 0.5, ("spam",))
    await outbox.vectors(PARTITION, {"a": assessment, "gone": None})
    [batch] = [batch async for batch in KafkaCatalogueLog(kafka, RETRY).vectors(PARTITION)]
    assert (batch.keys, batch.values[1]) == ([b"a", b"gone"], None)
    assert decode_assessment(batch.values[0] or b"", dict(batch.headers[0])) == assessment

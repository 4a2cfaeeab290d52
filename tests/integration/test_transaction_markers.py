"""A transaction ends with a marker, which has an offset and is no record: it is committed too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import RecordsToDelete  # type: ignore[import-untyped]  # ships no types
from apache_kafka import ApacheKafka
from batch_workers import DEADLINE_SECONDS, Worker, committed, send, until, views, views_0, working

from app.concerns import KafkaSettings
from app.kafka.clients import make_admin, make_producer
from app.kafka.group_offsets import read_group_lag
from app.kafka.log_start import Reset
from app.kafka.topics import create_topics


@pytest.fixture
async def settings(apache: ApacheKafka) -> KafkaSettings:
    name = f"test-{uuid4().hex[:12]}"
    kafka = KafkaSettings(bootstrap=apache.open, topic_prefix=f"{name}-", group=name, partitions=1)
    settings = replace(kafka, session_timeout_seconds=2.0)
    await create_topics(settings)
    return settings


@asynccontextmanager
async def transactions(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    async with make_producer(settings, transactional_id=settings.group) as producer:
        yield producer


async def send_in_one(producer: AIOKafkaProducer, settings: KafkaSettings, *values: bytes) -> None:
    async with producer.transaction():
        for value in values:
            await producer.send(views(settings), value, partition=0)


async def until_committed(settings: KafkaSettings, offset: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await committed(settings) != offset:
            await asyncio.sleep(0.05)


async def test_the_group_has_no_lag_where_a_partition_ends_in_a_marker(settings: KafkaSettings, tmp_path: Path) -> None:
    async with transactions(settings) as producer, working(settings, tmp_path) as worker:
        await send_in_one(producer, settings, b"a", b"b")
        await until(lambda: len(worker.values) == 2)
        await until_committed(settings, 3)
        await producer.begin_transaction()
        await producer.send_and_wait(views(settings), b"rolled back", partition=0)
        await producer.abort_transaction()
        await until_committed(settings, 5)
        await send_in_one(producer, settings, b"c")
        await until_committed(settings, 7)
        assert worker.values == [b"a", b"b", b"c"]
    found = await read_group_lag(settings)
    assert found is not None
    assert (found.records, found.removed, found.beyond) == (0, 0, ())
    assert found.newest is not None


async def test_a_marker_that_retention_removed_is_no_lost_record(settings: KafkaSettings, tmp_path: Path) -> None:
    async with transactions(settings) as producer, working(settings, tmp_path) as worker:
        resets = noted_resets(worker)
        await send_in_one(producer, settings, b"a")
        await until_committed(settings, 2)
        await remove_before(settings, 2)
        await send(settings, [b"b"])
        await until(lambda: worker.values == [b"a", b"b"])
        await until(lambda: worker.consumer.places.starts.knows(views_0(settings)))
        await until_committed(settings, 3)
    assert resets == []


async def remove_before(settings: KafkaSettings, offset: int) -> None:
    admin = make_admin(settings)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(*views_0(settings)): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


def noted_resets(worker: Worker) -> list[Reset]:
    """What the worker's consumer tells of from now on."""
    noted: list[Reset] = []
    worker.consumer.options = replace(worker.consumer.options, on_reset=noted.append)
    return noted

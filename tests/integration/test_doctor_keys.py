"""What `headrace doctor` says of the keys and partitions that producers choose."""

import time
import zlib
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # ships no types

from app.checkup.doctor import Finding, Status
from app.checkup.producers import check_keys
from app.concerns import KafkaSettings
from app.kafka.topics import create_topics
from models.contract.event_codec import EventSettings

Choose = Callable[[bytes, int], int]


def murmur2(user: bytes, partitions: int) -> int:
    choice: int = DefaultPartitioner()(user, list(range(partitions)), [])
    return choice


def crc32(user: bytes, partitions: int) -> int:
    return zlib.crc32(user) % partitions


async def send(kafka: KafkaSettings, topic: str, choose: Choose, *, keyed: bool = True) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for number in range(60):
            user = b"u%d" % number
            value = {"event_id": f"{topic}{number}", "user_id": f"u{number}", "item_id": "i", "ts": time.time()}
            place = choose(user, kafka.partitions)
            await producer.send(kafka.topic_prefix + topic, orjson.dumps(value), user if keyed else None, place)


async def finding(kafka: KafkaSettings) -> Finding:
    [found] = await check_keys(kafka, EventSettings())
    return found


async def test_without_events_there_is_nothing_to_say(kafka: KafkaSettings) -> None:
    assert (await finding(kafka)).detail == "no events yet"
    await create_topics(kafka)
    assert (await finding(kafka)).status is Status.OK


@pytest.mark.parametrize("keyed", [True, False])
async def test_events_in_their_users_partitions_are_fine_whatever_their_keys(kafka: KafkaSettings, keyed: bool) -> None:
    await create_topics(kafka)
    await send(kafka, "views", murmur2, keyed=keyed)
    found = await finding(kafka)
    assert found.status is Status.OK
    assert f"of the newest 60 events, {0 if keyed else 60} have a key" in found.detail


async def test_producers_with_librdkafkas_partitioner_are_told_the_setting(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    for topic in ("views", "clicks"):
        await send(kafka, topic, crc32)
    found = await finding(kafka)
    assert found.status is Status.WARNING
    assert found.advice.endswith("set HEADRACE_KAFKA_PARTITIONER=crc32")
    assert (await finding(replace(kafka, partitioner="crc32"))).status is Status.OK


async def test_producers_with_different_partitioners_are_a_warning(kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    await send(kafka, "views", murmur2)
    await send(kafka, "clicks", crc32)
    found = await finding(kafka)
    assert found.status is Status.WARNING
    assert "one partitioner" in found.advice
    assert (await finding(replace(kafka, partitioner="trust"))).status is Status.OK

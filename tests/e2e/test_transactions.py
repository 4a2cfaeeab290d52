"""A producer works in transactions on Apache Kafka: what it rolls back never happened."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from apache_kafka import ApacheKafka
from conftest import ReadTopic
from shops import Shop
from workers import doctor, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.clients import make_producer
from app.kafka.topics import create_topics


@pytest.fixture
def kafka(apache: ApacheKafka) -> KafkaSettings:
    name = f"test-{uuid4().hex[:12]}"
    return KafkaSettings(bootstrap=apache.open, topic_prefix=f"{name}-", group=name, partitions=1)


async def view(producer: AIOKafkaProducer, kafka: KafkaSettings, item_id: str) -> None:
    event: dict[str, Any] = {"event_id": item_id, "user_id": "ada", "item_id": item_id, "ts": 1_760_000_000}
    await producer.send_and_wait(f"{kafka.topic_prefix}views", orjson.dumps(event), key=b"ada")


async def offer(producer: AIOKafkaProducer, kafka: KafkaSettings, item_id: str) -> None:
    item = {"item_id": item_id, "title": f"Title of {item_id}"}
    await producer.send_and_wait(f"{kafka.topic_prefix}items", orjson.dumps(item), key=item_id.encode())


async def test_events_and_items_of_an_aborted_transaction_are_never_learned(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, read_topic: ReadTopic, tmp_path: Path
) -> None:
    await create_topics(kafka)
    environ = environment(kafka, redis_settings)
    async with make_producer(kafka, transactional_id=kafka.group) as producer:
        with running_worker(environ, tmp_path / "worker.log") as worker:
            await producer.begin_transaction()
            await view(producer, kafka, "rolled-back")
            await offer(producer, kafka, "rolled-back")
            # Nobody knows yet what becomes of it: it does not wait for the worker.
            assert doctor(environ)["lag"] == "events and items: nothing to do yet"
            await producer.abort_transaction()
            async with producer.transaction():
                await view(producer, kafka, "kept")
                await offer(producer, kafka, "kept")
            worker.until_events(1)
            until(lambda: bool(shop.redis.exists(shop.keys.item("kept"))), worker.log)
            async with producer.transaction():
                await view(producer, kafka, "kept-too")
            worker.until_events(2)
        # It reads on where it was, behind the marks of transactions.
        with running_worker(environ, tmp_path / "second.log") as worker:
            async with producer.transaction():
                await view(producer, kafka, "last")
            worker.until_events(1)
    assert not shop.redis.exists(shop.keys.item("rolled-back"))
    learned = [orjson.loads(record.value) for record in await read_topic(f"{kafka.topic_prefix}interactions")]
    assert [each["item_id"] for each in learned] == ["kept", "kept-too", "last"]

"""Producers whose clock or unit is wrong, on a topic that keeps the time that they set."""

import time
from dataclasses import replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from conftest import ReadTopic
from made_topics import make_topics
from shops import Shop
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings


async def test_a_record_time_in_seconds_reads_as_1970_and_its_event_counts_all_the_same(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, read_topic: ReadTopic, tmp_path: Path
) -> None:
    kafka = replace(kafka, partitions=1)
    await make_topics(kafka, {"clicks": 1}, **{"message.timestamp.type": "CreateTime"})
    topic, now = f"{kafka.topic_prefix}clicks", time.time()
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            for number in (1, 2):
                event = {"event_id": f"e{number}", "user_id": "mira", "item_id": f"tea-{number}", "ts": now + number}
                # Kafka counts milliseconds; this producer gives seconds.
                await producer.send_and_wait(topic, orjson.dumps(event), b"mira", timestamp_ms=int(now))
        until(lambda: worker.metric("headrace_events_total", kind="click") == 2, worker.log)
        assert worker.metric("headrace_events_total", kind="click", outcome="accepted") == 2
        assert worker.metric("headrace_rejected_total") == 0
        until(lambda: bool(shop.redis.exists(shop.keys.profile("mira"))), worker.log)
    recent = orjson.loads(shop.redis.hget(shop.keys.profile("mira"), "recent") or b"[]")
    assert [row[0] for row in recent] == ["tea-2", "tea-1"]
    assert {record.timestamp for record in await read_topic(topic)} == {int(now)}

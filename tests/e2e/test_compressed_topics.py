"""Producers choose how their batches are compressed. A worker reads what Kafka's clients write."""

import time
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from apache_kafka import embedded_only
from compressed import CODECS, send_labelled
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings

PER_CODEC = 20  # one batch, long enough for compression to have an effect


async def send(kafka: KafkaSettings, topic: str, codec: str, values: list[dict[str, object]]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, compression_type=codec, linger_ms=100, max_batch_size=100_000
    ) as producer:
        sent = [
            await producer.send(kafka.topic_prefix + topic, orjson.dumps(value), key=b"ada", partition=0)
            for value in values
        ]
        for each in sent:
            await each


async def test_events_and_items_of_every_codec_are_accepted(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        for codec in CODECS:
            numbers = range(PER_CODEC)
            await send(kafka, "items", codec, [{"item_id": f"{codec}-{n}", "title": "Mug"} for n in numbers])
            events: list[dict[str, object]] = [
                {"event_id": f"{codec}-{n}", "user_id": "ada", "item_id": f"{codec}-{n}", "ts": time.time()}
                for n in numbers
            ]
            await send(kafka, "clicks", codec, events)
        everything = len(CODECS) * PER_CODEC
        until(lambda: worker.metric("headrace_items_total", outcome="upserted") == everything, worker.log)
        until(lambda: worker.metric("headrace_events_total", outcome="accepted") == everything, worker.log)
        assert worker.metric("headrace_rejected_total") == 0


@embedded_only  # Apache Kafka refuses the batch
@pytest.mark.parametrize(("topic", "codec"), [("clicks", "zstd"), ("items", "gzip")])
async def test_a_batch_that_cannot_be_decompressed_ends_the_worker_with_its_place_and_advice(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path, topic: str, codec: str
) -> None:
    log = tmp_path / "worker.log"
    with running_worker(environment(kafka, redis_settings), log) as worker:
        await send_labelled(kafka, topic, b"{}", codec)
        until(lambda: worker.process.poll() is not None, log)
    assert worker.process.returncode == 1
    last = log.read_text().splitlines()[-1]
    assert f"records of {kafka.topic_prefix}{topic}-0 from offset 0 cannot be decompressed" in last
    assert "compression.type" in last

"""`headrace forget --purge` on a Kafka that can remove records: the id is in no topic any more.

The embedded broker cannot; `make test-kafka` runs this on Apache Kafka.
"""

from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from apache_kafka import ON_APACHE_KAFKA
from forgetting import EVENTS, GONE, OTHERS, receipt_of, redis_with, run, send, topics_with
from shops import Shop
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics
from app.store.keys import Keys


@pytest.mark.skipif(not ON_APACHE_KAFKA, reason="needs Apache Kafka: make test-kafka")
async def test_a_purged_user_is_found_nowhere_and_the_index_and_profiles_of_others_stay(
    kafka: KafkaSettings, redis_settings: RedisSettings, shop: Shop, tmp_path: Path
) -> None:
    await create_topics(kafka)
    environ = environment(kafka, redis_settings)
    with running_worker(environ, tmp_path / "first.log") as worker:
        await send(kafka)
        worker.until_events(EVENTS)
        until(lambda: worker.metric("headrace_rejected_total") == 4, worker.log)
        assert await topics_with(kafka, GONE) >= {"views", "interactions", "recommendations", "quarantine"}
        learned = worker.metric("headrace_learned_total", outcome="learned")

        process = run("forget", environ, GONE, "--purge", "--json")
        assert process.returncode == 0, process.stdout + process.stderr
        receipt = receipt_of(process)
        assert receipt["done"] is True
        assert {each["records_left"] for each in receipt["topics"]} == {0}
        assert await topics_with(kafka, GONE) == set()
        assert redis_with(shop.redis, redis_settings.prefix, GONE) == []
        assert "interactions" in await topics_with(kafka, "u1")
        assert "quarantine" in await topics_with(kafka, "u1")

        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            value = orjson.dumps({"event_id": "new", "user_id": "u1", "item_id": "i9", "ts": 1_760_000_000})
            await producer.send_and_wait(f"{kafka.topic_prefix}views", value, b"u1")
        worker.until_events(EVENTS + 1)
        assert worker.metric("headrace_learned_total", outcome="learned") == learned + 1
        assert GONE not in worker.log.read_text()
    with running_worker(environ, tmp_path / "second.log") as worker:
        mine = worker.metric("headrace_learned_total", outcome="learned")
        assert mine == EVENTS - EVENTS // (len(OTHERS) + 1) + 1
        audit = run("audit", environ, "--all", "--json")
        assert audit.returncode == 0, audit.stdout
        found = orjson.loads(audit.stdout)
        assert (found["same"], found["log_is_whole"]) == (len(OTHERS), False)
        assert not shop.redis.exists(Keys(redis_settings.prefix).profile(GONE))

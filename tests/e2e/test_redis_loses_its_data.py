"""Redis is emptied, or starts without its data: a real worker restores what it can."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.local.servers import embedded_redis
from app.store.keys import Keys
from app.store.lookup import Lookups

MODELS = Path(__file__).resolve().parents[2] / "onnx"
NOW = time.time()
TITLES = {"kettle": "Glass tea kettle", "teapot": "Porcelain teapot", "drill": "Cordless power drill"}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisSettings]:
    """A server of this test alone, because it is emptied."""
    with embedded_redis(tmp_path / "redis") as url:
        yield RedisSettings(url=url, prefix=f"test-{uuid4().hex}:", timeout_seconds=2.0)


async def send(kafka: KafkaSettings, topic: str, **records: dict[str, object] | None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for key, value in records.items():
            content = None if value is None else orjson.dumps(value)
            await producer.send_and_wait(kafka.topic_prefix + topic, content, key=key.encode())


async def send_items(kafka: KafkaSettings, **titles: str) -> None:
    records: dict[str, dict[str, object] | None] = {
        item_id: {"item_id": item_id, "title": title} for item_id, title in titles.items()
    }
    await send(kafka, "items", **records)


async def send_view(kafka: KafkaSettings, user_id: str, item_id: str) -> None:
    event: dict[str, object] = {"event_id": uuid4().hex, "user_id": user_id, "item_id": item_id, "ts": NOW}
    await send(kafka, "views", **{user_id: event})


def titles_in(store: "redis.Redis", settings: RedisSettings) -> dict[str, str]:
    keys = Keys(settings.prefix)
    found = {item_id: store.hget(keys.item(item_id), "title") for item_id in TITLES}
    return {item_id: title.decode() for item_id, title in found.items() if isinstance(title, bytes)}


async def listed_titles(settings: RedisSettings, user_id: str) -> set[str | None]:
    lookups = Lookups.connect(settings, recall_seconds=0)
    found = await lookups.recommendations(user_id, 5)
    await lookups.close()
    return {each.title for each in found.items}


async def test_the_catalogue_and_trending_lists_come_back_after_redis_was_emptied(
    kafka: KafkaSettings, own_redis: RedisSettings, tmp_path: Path
) -> None:
    store, keys = redis.Redis.from_url(own_redis.url), Keys(own_redis.prefix)
    with running_worker(environment(kafka, own_redis), tmp_path / "worker.log") as worker:
        await send_items(kafka, **TITLES)
        until(lambda: titles_in(store, own_redis) == TITLES, worker.log)
        await send(kafka, "items", drill=None)
        await send_view(kafka, "other", "teapot")
        await send_view(kafka, "ada", "kettle")
        until(lambda: bool(store.exists(keys.trending(), keys.recommendation("ada"))), worker.log)

        store.flushall()
        until(lambda: titles_in(store, own_redis) == TITLES | {"drill": ""}, worker.log)
        until(lambda: bool(store.exists(keys.trending())), worker.log)
        await send_view(kafka, "ada", "kettle")
        until(lambda: bool(store.exists(keys.recommendation("ada"))), worker.log)
        assert await listed_titles(own_redis, "ada") == {TITLES["teapot"]}
        assert store.hget(keys.item("drill"), "deleted") == b"1"
        assert worker.log.read_text().count("Redis lacks items") <= kafka.partitions


async def test_a_worker_that_starts_with_an_empty_redis_writes_the_catalogue_again_and_only_then(
    kafka: KafkaSettings, own_redis: RedisSettings, tmp_path: Path
) -> None:
    store, environ = redis.Redis.from_url(own_redis.url), environment(kafka, own_redis)
    with running_worker(environ, tmp_path / "first.log") as worker:
        await send_items(kafka, **TITLES)
        until(lambda: worker.metric("headrace_items_total") == len(TITLES), worker.log)
        marks = Keys(own_redis.prefix).catalogue(f"{kafka.topic_prefix}items-*")
        until(lambda: sum(int(store.get(key) or 0) for key in store.keys(marks)) == len(TITLES), worker.log)
    with running_worker(environ, tmp_path / "second.log") as worker:
        await send_items(kafka, late="A lamp")
        until(lambda: worker.metric("headrace_items_total") == 1, worker.log)
    for log in ("first.log", "second.log"):
        assert "Redis lacks items" not in (tmp_path / log).read_text()
    store.flushall()
    with running_worker(environ, tmp_path / "third.log") as worker:
        until(lambda: titles_in(store, own_redis) == TITLES, worker.log)


@pytest.mark.skipif(not (MODELS / "manifest.json").exists(), reason=f"no models in {MODELS}")
async def test_vectors_and_similar_items_come_back_without_asking_the_models(
    kafka: KafkaSettings, own_redis: RedisSettings, tmp_path: Path
) -> None:
    if not any(each["task"] == "embedding" for each in json.loads((MODELS / "manifest.json").read_bytes())["models"]):
        pytest.skip(f"no embedding model in {MODELS}")
    store, keys = redis.Redis.from_url(own_redis.url), Keys(own_redis.prefix)
    environ = environment(kafka, own_redis, HEADRACE_MODEL_DIR=str(MODELS))

    def are_whole() -> bool:
        return (
            titles_in(store, own_redis) == TITLES
            and store.execute_command("VCARD", keys.vectors()) == len(TITLES)  # type: ignore[no-untyped-call]  # redis-py has no types here
            and store.exists(keys.similar("kettle"), keys.similar("teapot")) == 2
            and all(store.hexists(keys.item(item_id), "text_hash") for item_id in TITLES)
        )

    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send_items(kafka, **TITLES)
        until(are_whole, worker.log)
        until(lambda: worker.metric("headrace_assessed_items_total", outcome="good") == len(TITLES), worker.log)
        texts = worker.metric("headrace_inference_texts_total", model="embedding")

        store.flushall()
        until(are_whole, worker.log)
        assert worker.metric("headrace_inference_texts_total", model="embedding") == texts

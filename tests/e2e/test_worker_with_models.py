"""The worker with the shipped models: the effect of an item's text, from topic to look-ups."""

import json
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from forgetting import run
from workers import RunningWorker, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys
from app.store.lookup import Lookups

MODELS = Path(__file__).resolve().parents[2] / "onnx"
NOW = time.time()
TITLES = {
    "kettle": "Glass tea kettle, 1.7 litres",
    "teapot": "Porcelain teapot with tea infuser",
    "mug": "Red ceramic tea mug",
    "drill": "Cordless power drill with two batteries",
    "saw": "Cordless power saw for wood",
    "hammer": "Claw hammer with wooden handle",
    "sandals": "Women's leather summer sandals",
    "boots": "Men's waterproof hiking boots",
}

TRIES = 5


@pytest.fixture(autouse=True)
def shipped() -> None:
    manifest = MODELS / "manifest.json"
    tasks = {each["task"] for each in json.loads(manifest.read_bytes())["models"]} if manifest.exists() else set()
    if tasks != {"embedding", "quality"}:
        pytest.skip(f"{manifest} lists no embedding and quality model")


@pytest.fixture
def store(redis_settings: RedisSettings) -> "redis.Redis":
    return redis.Redis.from_url(redis_settings.url)


def item(item_id: str, title: str, **more: object) -> tuple[str, dict[str, Any]]:
    return item_id, {"item_id": item_id, "title": title, **more}


def view(user_id: str, item_id: str) -> tuple[str, dict[str, Any]]:
    return user_id, {"event_id": f"{user_id}-{item_id}", "user_id": user_id, "item_id": item_id, "ts": NOW}


async def send(kafka: KafkaSettings, topic: str, *records: tuple[str, dict[str, Any] | None]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for key, value in records:
            content = None if value is None else orjson.dumps(value)
            await producer.send_and_wait(kafka.topic_prefix + topic, content, key=key.encode())


def with_models(kafka: KafkaSettings, settings: RedisSettings, **more: str) -> dict[str, str]:
    return environment(kafka, settings, HEADRACE_MODEL_DIR=str(MODELS), **more)


def listed(store: "redis.Redis", settings: RedisSettings, user_id: str) -> dict[str, str]:
    raw = store.get(Keys(settings.prefix).recommendation(user_id))
    assert raw is None or isinstance(raw, bytes)
    return {} if raw is None else {each["item_id"]: each["source"] for each in orjson.loads(raw)["items"]}


def assessed(worker: RunningWorker, outcome: str) -> int:
    return worker.metric("headrace_assessed_items_total", outcome=outcome)


async def stocked(kafka: KafkaSettings, worker: RunningWorker) -> None:
    await send(kafka, "items", *(item(item_id, title) for item_id, title in TITLES.items()))
    until(lambda: assessed(worker, "good") == len(TITLES), worker.log)


async def test_an_item_that_nobody_clicked_is_in_matching_lists_within_a_second_and_has_similar_items(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", tmp_path: Path
) -> None:
    with running_worker(with_models(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await stocked(kafka, worker)
        await send(kafka, "views", view("cook", "kettle"), view("cook", "mug"), view("builder", "drill"))
        until(lambda: "teapot" in listed(store, redis_settings, "cook"), worker.log)
        until(lambda: "saw" in listed(store, redis_settings, "builder"), worker.log)

        async def seconds_until_listed(item_id: str) -> float:
            started = time.monotonic()
            await send(kafka, "items", item(item_id, f"Glass teapot for loose tea, {item_id}"))
            until(lambda: item_id in listed(store, redis_settings, "cook"), worker.log)
            return time.monotonic() - started

        # Several tries, because other work on the machine may delay any one of them.
        seconds: list[float] = []
        while min(seconds, default=1) >= 1:
            assert len(seconds) < TRIES, seconds
            seconds.append(await seconds_until_listed(f"new-{len(seconds)}"))

        assert listed(store, redis_settings, "cook")["new-0"] == "semantic"
        until(lambda: bool(store.exists(Keys(redis_settings.prefix).similar("new-0"))), worker.log)
        lookups = Lookups.connect(redis_settings, recall_seconds=0)
        by_worker = await similar(lookups, "new-0")
        store.delete(Keys(redis_settings.prefix).similar("new-0"))
        by_vectors = await similar(lookups, "new-0")
        await lookups.close()
    assert "kettle" in by_worker[:TRIES]
    assert "kettle" in by_vectors[:TRIES]


def headrace_items(kafka: KafkaSettings, settings: RedisSettings, *arguments: str) -> dict[str, Any]:
    process = run("items", with_models(kafka, settings), *arguments, "--json")
    assert process.returncode == 0, process.stderr
    found: dict[str, Any] = orjson.loads(process.stdout)
    return found


async def similar(lookups: Lookups, item_id: str) -> list[str]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := await lookups.similar(item_id, 5):
            return [each["item_id"] for each in found]
    raise AssertionError(f"nothing is similar to {item_id}")


async def test_an_item_of_low_quality_is_kept_and_not_recommended(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", tmp_path: Path
) -> None:
    with running_worker(with_models(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await stocked(kafka, worker)
        await send(kafka, "items", item("bad", "xqzvkj wqrtplm zzxcvb qwkjhg"))
        until(lambda: assessed(worker, "low_quality") == 1, worker.log)
        await send(kafka, "views", *(view(user, each) for user in ("u1", "u2") for each in ("bad", "mug", "kettle")))
        until(lambda: worker.read().events == 6, worker.log)

        assert "mug" in listed(store, redis_settings, "u1") or "teapot" in listed(store, redis_settings, "u1")
        assert "bad" not in listed(store, redis_settings, "u1")
        entry = await look_up(redis_settings, "bad")
        assert entry.title == "xqzvkj wqrtplm zzxcvb qwkjhg"
        assert "garbled" in entry.reasons
        assert entry.quality < 0.5

        keys = Keys(redis_settings.prefix)
        until(lambda: store.zrange(keys.hidden(), 0, -1) == [b"bad"], worker.log)
        assert headrace_items(kafka, redis_settings, "allow", "bad")["changed"]
        await send(kafka, "views", view("u4", "mug"))
        until(lambda: store.zcard(keys.hidden()) == 0, worker.log)
        await send(kafka, "views", view("u4", "kettle"))
        until(lambda: "bad" in listed(store, redis_settings, "u4"), worker.log)
    with running_worker(with_models(kafka, redis_settings), tmp_path / "second.log") as worker:
        await send(kafka, "views", view("u5", "mug"), view("u5", "kettle"))
        until(lambda: "bad" in listed(store, redis_settings, "u5"), worker.log)
        assert headrace_items(kafka, redis_settings, "allow", "bad", "--undo")["changed"]
        until(lambda: "bad" not in listed(store, redis_settings, "u5"), worker.log)

        good = assessed(worker, "good")
        await send(kafka, "items", item("bad", "Stoneware milk jug for tea"))
        until(lambda: assessed(worker, "good") == good + 1, worker.log)
        await send(kafka, "views", view("u3", "mug"))
        until(lambda: "bad" in listed(store, redis_settings, "u3"), worker.log)


async def look_up(settings: RedisSettings, item_id: str) -> Any:
    lookups = Lookups.connect(settings, recall_seconds=0)
    entry = await lookups.item(item_id)
    await lookups.close()
    return entry


async def test_unchanged_items_cost_no_inference_even_after_a_restart_and_deleted_ones_lose_their_vector(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", tmp_path: Path
) -> None:
    environ = with_models(kafka, redis_settings)
    with running_worker(environ, tmp_path / "first.log") as worker:
        await stocked(kafka, worker)
    with running_worker(environ, tmp_path / "second.log") as worker:
        await send(kafka, "items", item("mug", TITLES["mug"], available=False), ("saw", None), item("x", "Oak shelf"))
        until(lambda: assessed(worker, "good") == 1, worker.log)
        until(lambda: assessed(worker, "unchanged") == 1, worker.log)
        assert worker.metric("headrace_inference_texts_total", model="embedding") == 1
        await send(kafka, "views", view("cook", "kettle"))
        until(lambda: bool(listed(store, redis_settings, "cook")), worker.log)
        assert {"mug", "saw"}.isdisjoint(listed(store, redis_settings, "cook"))
    vectors = Keys(redis_settings.prefix).vectors()
    mug, saw, count = (
        ask(store, "VGETATTR", vectors, "mug"),
        ask(store, "VGETATTR", vectors, "saw"),
        ask(store, "VCARD", vectors),
    )
    assert orjson.loads(mug)["available"] is False
    assert (saw, count) == (None, len(TITLES))


def ask(store: "redis.Redis", *command: str) -> Any:
    return store.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here


async def test_a_catalogue_that_was_there_before_the_models_is_assessed_in_the_background(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", tmp_path: Path
) -> None:
    none = environment(kafka, redis_settings, HEADRACE_MODEL_DIR=str(tmp_path))
    with running_worker(none, tmp_path / "first.log") as worker:
        await send(kafka, "items", *(item(item_id, title) for item_id, title in TITLES.items()))
        until(lambda: worker.metric("headrace_items_total") == len(TITLES), worker.log)
        assert "no models" in worker.log.read_text()
    with running_worker(with_models(kafka, redis_settings), tmp_path / "second.log") as worker:
        until(lambda: assessed(worker, "good") == len(TITLES), worker.log)
        await send(kafka, "views", view("builder", "drill"))
        until(lambda: "saw" in listed(store, redis_settings, "builder"), worker.log)

"""Carts from end to end: their topic, a user's list and history, and the log of a restarted
worker.
"""

from pathlib import Path

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from conftest import ReadTopic
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys

NOW = 1_760_000_000.0


async def send(kafka: KafkaSettings, topic: str, *events: tuple[str, str]) -> None:
    """Send an event for each user and item, a second after that of the item before it."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for user, item in events:
            event = {"event_id": f"{user}-{item}", "user_id": user, "item_id": item, "ts": NOW + ord(item)}
            await producer.send_and_wait(kafka.topic_prefix + topic, orjson.dumps(event), key=user.encode())


@pytest.fixture
def store(redis_settings: RedisSettings) -> "redis.Redis":
    return redis.Redis.from_url(redis_settings.url)


async def test_a_cart_leads_to_a_fresh_list_and_is_not_bought(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", read_topic: ReadTopic, tmp_path: Path
) -> None:
    def listed(user: str) -> list[str]:
        raw = store.get(Keys(redis_settings.prefix).recommendation(user))
        return [item["item_id"] for item in orjson.loads(raw)["items"]] if isinstance(raw, bytes) else []

    environ = environment(kafka, redis_settings)
    with running_worker(environ, tmp_path / "first.log") as worker:
        await send(kafka, "views", ("ada", "a"))
        await send(kafka, "carts", ("ada", "b"))
        worker.until_events(2)
        await send(kafka, "carts", ("bob", "a"))
        until(lambda: "b" in listed("bob"), worker.log)
        assert worker.metric("headrace_events_total", kind="cart", outcome="accepted") == 2
        # What lies in a cart may be recommended when its user looks at something else.
        await send(kafka, "views", ("ada", "c"))
        until(lambda: "b" in listed("ada"), worker.log)
        await send(kafka, "orders", ("bob", "b"))
        await send(kafka, "views", ("bob", "c"))
        until(lambda: listed("bob") == ["a"], worker.log)

    logged = [orjson.loads(each.value or b"") for each in await read_topic(kafka.topic_prefix + "interactions")]
    assert {each["event_id"]: (each["kind"], each.get("format")) for each in logged} == {
        "ada-a": ("view", None), "ada-b": ("cart", 2), "bob-a": ("cart", 2), "ada-c": ("view", None),
        "bob-b": ("order", None), "bob-c": ("view", None),
    }  # fmt: skip
    recent, counts = store.hmget(Keys(redis_settings.prefix).profile("ada"), "recent", "counts")
    assert [row[0::2] for row in orjson.loads(recent or "")] == [["c", "view"], ["b", "cart"], ["a", "view"]]
    counted = {kind: round(count) for kind, count in orjson.loads(counts or "").items() if kind != "at"}
    assert counted == {"view": 2, "click": 0, "cart": 1, "order": 0}

    with running_worker(environ, tmp_path / "second.log") as worker:
        await send(kafka, "carts", ("eve", "a"))
        until(lambda: "b" in listed("eve"), worker.log)  # known from the log alone

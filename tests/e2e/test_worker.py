"""The worker as a process, on a real broker and a real Redis."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from conftest import ReadTopic
from workers import environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import SOURCES

Event = dict[str, Any]
NOW = time.time()


def event(event_id: str, user_id: str, item_id: str, **more: object) -> Event:
    return {"event_id": event_id, "user_id": user_id, "item_id": item_id, "ts": NOW, **more}


async def send(kafka: KafkaSettings, topic: str, *records: tuple[str, Event | bytes | None]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=20_000_000)
    await producer.start()
    for key, value in records:
        content = orjson.dumps(value) if isinstance(value, dict) else value
        await producer.send_and_wait(kafka.topic_prefix + topic, content, key=key.encode())
    await producer.stop()


@pytest.fixture
def store(redis_settings: RedisSettings) -> "redis.Redis":
    return redis.Redis.from_url(redis_settings.url)


def listed(store: "redis.Redis", settings: RedisSettings, user_id: str) -> list[str]:
    raw = store.get(f"{settings.prefix}rec:{{{user_id}}}")
    assert raw is None or isinstance(raw, bytes)
    return [] if raw is None else [item["item_id"] for item in orjson.loads(raw)["items"]]


BROKEN: dict[str, bytes | Event | None] = {
    "malformed_json": b'{"event_id": "x", ',
    "wrong_type": event("w", "u1", "a") | {"item_id": 7.5},
    "too_old": event("o", "u1", "a") | {"ts": 0},
    "from_the_future": event("f", "u1", "a") | {"ts": NOW + 365 * 86_400},
    "empty_id": event("e", "u1", ""),
    "too_large": event("l", "u1", "a", surface="x" * 2_000_000),
    "invalid_utf8": b'{"event_id": "\xff"}',
    "null_value": None,
    "no_user": {"event_id": "n", "item_id": "a", "ts": NOW},
}


async def test_whatever_cannot_be_accepted_is_quarantined_untouched_and_the_stream_goes_on(
    kafka: KafkaSettings,
    redis_settings: RedisSettings,
    store: "redis.Redis",
    read_topic: ReadTopic,
    tmp_path: Path,
) -> None:
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await send(kafka, "views", ("u1", event("1", "u1", "a")), ("u2", event("2", "u2", "a")))
        await send(kafka, "views", *(("u1", record) for record in BROKEN.values()))
        await send(kafka, "views", ("u1", event("1", "u1", "a")), ("u1", event("3", "u1", "b")))

        reading = worker.until_events(4 + len(BROKEN))

    assert reading.outcomes == {"accepted": 3, "duplicate": 1, "quarantined": len(BROKEN)}
    assert reading.reasons == dict.fromkeys(BROKEN, 1)
    quarantined = {
        dict(record.headers)["reason"].decode(): record
        for record in await read_topic(kafka.topic_prefix + "quarantine")
    }
    assert quarantined.keys() == BROKEN.keys()
    for reason, original in BROKEN.items():
        record = quarantined[reason]
        assert record.value == (orjson.dumps(original) if isinstance(original, dict) else original)
        assert dict(record.headers)["source-topic"].decode() == kafka.topic_prefix + "views"
    assert listed(store, redis_settings, "u2") == []  # no other user saw anything else when u2 came
    assert "a" in listed(store, redis_settings, "u1")


async def test_what_is_deleted_or_unavailable_is_never_recommended_again(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", tmp_path: Path
) -> None:
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        items = [(item, {"item_id": item, "title": f"Title {item}"}) for item in "abcd"]
        await send(kafka, "items", *items)
        views = [(user, event(f"{user}{item}", user, item)) for user in ("u1", "u2", "u3") for item in "abcd"]
        await send(kafka, "views", *views)
        await send(kafka, "views", ("me", event("me-a", "me", "a")))
        until(lambda: set(listed(store, redis_settings, "me")) == set("bcd"), worker.log)

        await send(kafka, "items", ("b", None), ("c", {"item_id": "c", "title": "Title c", "available": False}))

        # The user sent no event: the list that named the item is written again.
        until(lambda: listed(store, redis_settings, "me") == ["d"], worker.log)
        await send(kafka, "views", ("you", event("you-a", "you", "a")))
        until(lambda: bool(listed(store, redis_settings, "you")), worker.log)
        assert listed(store, redis_settings, "you") == ["d"]


async def test_what_is_sold_out_or_deleted_in_another_form_than_the_contract_s_leaves_the_lists_too(
    kafka: KafkaSettings,
    redis_settings: RedisSettings,
    store: "redis.Redis",
    read_topic: ReadTopic,
    tmp_path: Path,
) -> None:
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await send(kafka, "items", *((item, {"item_id": item, "title": f"Title {item}"}) for item in "abcdefg"))
        await send(kafka, "views", *((u, event(f"{u}{item}", u, item)) for u in ("u1", "u2") for item in "abcdefg"))
        await send(kafka, "views", ("me", event("me-a", "me", "a")))
        until(lambda: set(listed(store, redis_settings, "me")) == set("bcdefg"), worker.log)

        notices: list[tuple[str, Event | None]] = [
            ("b", {"item_id": "b", "title": "Title b", "available": 0}),
            ("c", {"item_id": "c", "title": "Title c", "availability": "https://schema.org/OutOfStock"}),
            ("d", {"item_id": "d", "title": "Title d", "available": "out of stock", "price": "19,99"}),
            ('"e"', None),
            ('{"item_id":"f"}', None),
            ('{"id":"g"}', None),
        ]
        await send(kafka, "items", *notices)

        until(lambda: listed(store, redis_settings, "me") == ["g"], worker.log)
        until(lambda: worker.read().item_reasons.total() == 2, worker.log)
        coerced = {field: worker.metric("headrace_coerced_total", field=field) for field in ("available", "key")}
    assert coerced == {"available": 3, "key": 2}
    found = [dict(record.headers)["detail"].decode() for record in await read_topic(f"{kafka.topic_prefix}quarantine")]
    assert sorted(found) == [
        "price is a string, not a number; write a decimal point, no comma",
        "the key is JSON that names no item_id; write the item id itself as the key",
    ]
    known = {
        key.decode().removeprefix(f"{redis_settings.prefix}item:")
        for key in store.scan_iter(f"{redis_settings.prefix}item:*")
    }
    assert known == {f"{{{item}}}" for item in "abcdefg"}


async def test_a_killed_worker_s_users_move_to_the_other_and_their_lists_go_on_changing(
    kafka: KafkaSettings, redis_settings: RedisSettings, store: "redis.Redis", tmp_path: Path
) -> None:
    environ = environment(kafka, redis_settings)
    users = [f"u{number}" for number in range(12)]
    every = (len(SOURCES) + 3) * kafka.partitions  # and of moved, forget and items
    with (
        running_worker(environ, tmp_path / "first.log") as first,
        running_worker(environ, tmp_path / "second.log") as second,
    ):
        until(lambda: 0 < first.read().partitions < every == first.read().partitions + second.read().partitions)
        for n, item in enumerate("abcd"):
            await send(kafka, "views", *((user, event(f"{user}-{n}", user, item)) for user in users))
        until(lambda: first.read().events + second.read().events == 4 * len(users))
        assert first.read().events
        assert second.read().events

        first.kill()
        await send(kafka, "views", *((user, event(f"{user}-new", user, "z")) for user in users))

        until(lambda: all("d" in listed(store, redis_settings, user) for user in users), second.log)
        until(lambda: second.read().outcomes["accepted"] >= len(users))
    profiles = [store.hget(f"{redis_settings.prefix}profile:{{{user}}}", "recent") for user in users]
    assert all(isinstance(recent, bytes) and len(orjson.loads(recent)) == 5 for recent in profiles)

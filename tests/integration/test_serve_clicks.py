"""Clicks over HTTP: contract events on a real broker, and clear answers to bad requests."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import orjson
import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from prometheus_client import CollectorRegistry
from shops import Http, client_of

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics
from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind, RawBatch

ReadTopic = Callable[[str], Awaitable[list[ConsumerRecord]]]
NO_REDIS = RedisSettings("redis://127.0.0.1:1/0", timeout_seconds=0.5)  # clicks need no Redis
CLICK = {"user_id": "u1", "item_id": "kettle"}


@pytest.fixture
async def http(kafka: KafkaSettings, registry: CollectorRegistry) -> AsyncIterator[Http]:
    await create_topics(kafka)
    async with client_of(NO_REDIS, registry, kafka) as client:
        yield client


async def sent(read_topic: ReadTopic, kafka: KafkaSettings) -> list[ConsumerRecord]:
    return await read_topic(kafka.topic_prefix + "clicks")


async def test_a_click_is_an_event_that_every_worker_accepts(
    http: Http, kafka: KafkaSettings, read_topic: ReadTopic
) -> None:
    before = time.time()
    response = await http.post("/events/click", json=CLICK)
    assert response.status == 202
    (record,) = await sent(read_topic, kafka)
    event = orjson.loads(record.value)
    assert event == await response.json()
    assert record.key == b"u1"
    assert before <= event["ts"] <= time.time()
    batch = RawBatch("clicks", 0, np.array([0]), np.array([event["ts"]]), [record.key], [record.value])
    decoded = decode(batch, Kind.CLICK, EventSettings())
    assert decoded.rejected == []
    assert (decoded.accepted.user_ids, decoded.accepted.item_ids) == (["u1"], ["kettle"])


async def test_two_clicks_are_two_events(http: Http, kafka: KafkaSettings, read_topic: ReadTopic) -> None:
    for _ in range(2):
        await http.post("/events/click", json=CLICK)
    first, second = await sent(read_topic, kafka)
    assert orjson.loads(first.value)["event_id"] != orjson.loads(second.value)["event_id"]


async def test_a_guests_click_carries_the_session_and_no_user(
    http: Http, kafka: KafkaSettings, read_topic: ReadTopic
) -> None:
    await http.post("/events/click", json={"user_id": "session:s/1", "item_id": "kettle"})
    (record,) = await sent(read_topic, kafka)
    event = orjson.loads(record.value)
    assert (record.key, event["session_id"], "user_id" in event) == (b"session:s/1", "s/1", False)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "not JSON"),
        (b'{"user_id": "\\ud800", "item_id": "a"}', "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "user_id is missing"),
        (b'{"user_id": 7, "item_id": "a"}', "user_id is missing"),
        (b'{"user_id": "u1"}', "item_id is missing"),
        (b'{"user_id": "", "item_id": "a"}', "user_id has 0 characters"),
        (b'{"user_id": "session:", "item_id": "a"}', "user_id has 0 characters"),
        (orjson.dumps({"user_id": "u1", "item_id": "i" * 129}), "item_id has 129 characters"),
    ],
)
async def test_what_is_no_click_is_a_400_problem(http: Http, body: bytes, detail: str) -> None:
    response = await http.post("/events/click", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 400
    assert detail in (await response.json(content_type="application/problem+json"))["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_content_type_that_other_sites_may_send_is_refused(http: Http, kind: str) -> None:
    response = await http.post("/events/click", data=orjson.dumps(CLICK), headers={"Content-Type": kind})
    assert response.status == 415
    assert response.content_type == "application/problem+json"


async def test_a_large_body_is_a_413_problem(http: Http) -> None:
    response = await http.post("/events/click", json={**CLICK, "more": "x" * 5000})
    assert response.status == 413
    body: dict[str, Any] = await response.json(content_type="application/problem+json")
    assert body["status"] == 413


async def test_a_kafka_that_is_away_is_a_503_problem_each_time(registry: CollectorRegistry) -> None:
    async with client_of(NO_REDIS, registry, KafkaSettings("127.0.0.1:1")) as http:
        for _ in range(2):
            response = await http.post("/events/click", json=CLICK)
            assert response.status == 503
            body = await response.json(content_type="application/problem+json")
            assert body["detail"] == "Kafka did not accept the click; try again."

"""The examples of the README and of docs/ work: their events are accepted, and their Python
runs.
"""

import asyncio
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import RedisError

from agents.metrics import Metrics
from agents.ports import Assessed
from app.health import Health
from app.retry import Retry
from app.store.assessments import RedisAssessments
from app.store.items import RedisItems
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.store.vector_set import VectorSet
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, Item, RawBatch
from models.quality.assessment import Assessment, pack_vector
from models.quality.text import QualitySettings

ROOT = Path(__file__).resolve().parents[2]
README, PRODUCERS, READERS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/sending-events.md", "docs/reading-lists.md")
)


def blocks(language: str, text: str) -> list[str]:
    """The code blocks of this language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


SHELL = re.findall(r"^((?:printf|echo) .*) \\$", README + PRODUCERS, re.MULTILINE)
(SHORT_CLIENT,), (RULES, CLIENT) = blocks("python", README), blocks("python", READERS)
KEYS = Keys("hr:")
GOOD, BAD = 0.9, 0.0


def rejected(topic: str, value: bytes, broker_time: float) -> list[str]:
    """Return what the worker would say against the event."""
    batch = RawBatch(topic, 0, np.array([0]), np.array([broker_time]), [None], [value])
    return [each.detail for each in decode(batch, KIND_OF_TOPIC[topic], EventSettings()).rejected]


async def run_python(program: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


def test_the_events_of_the_shell_examples_are_accepted_and_keyed_by_their_user() -> None:
    assert len(SHELL) == 3
    for command in SHELL:
        written = subprocess.run(["sh", "-c", command], capture_output=True, check=True, text=True).stdout
        key, _, text = written.strip().partition("|")
        event = orjson.loads(text)
        assert rejected("clicks", text.encode(), broker_time=time.time()) == []
        assert key == event.get("user_id", f"session:{event.get('session_id')}")


async def test_the_producer_in_python_sends_an_event_that_is_accepted(
    broker: str, read_topic: Callable[[str], Awaitable[list[ConsumerRecord]]]
) -> None:
    (producer,) = blocks("python", PRODUCERS)
    assert "localhost:9092" in producer
    await run_python(producer.replace("localhost:9092", broker))
    (record,) = await read_topic("clicks")
    assert rejected("clicks", record.value, broker_time=time.time()) == []
    assert record.key.decode() == orjson.loads(record.value)["user_id"]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (SHORT_CLIENT, ["525 None", "127 None"]),
        (CLIENT, ["525 None", "127 None", "172 None", "Kettle 19.5"]),
        (RULES, ["127 None", "525 None"]),
    ],
    ids=["README", "page for readers", "rules"],
)
async def test_a_client_prints_the_users_list(redis_url: str, program: str, expected: list[str]) -> None:
    stored, _ = blocks("json", READERS)
    key, near, entry = KEYS.recommendation("ada"), KEYS.similar("50"), KEYS.item("50")
    assert f"GET '{key}'" in README
    assert f"GET '{key}'" in READERS
    with Redis.from_url(redis_url) as redis:
        redis.set(key, stored)
        redis.set(near, orjson.dumps([{"item_id": "172", "score": 1.5, "source": "semantic"}]))
        redis.hset(entry, mapping={"title": "Kettle", "price": "19.5", "quality": "0.9", "reasons": "[]"})
        try:
            printed = await run_python(program.replace("redis://localhost:6379/0", redis_url))
        finally:
            redis.delete(key, near, entry)
    assert [" ".join(line.split()[:2]) for line in printed.splitlines()] == expected


def assessed(item: Item, quality: float, *direction: float) -> Assessed:
    vector = pack_vector(np.array(direction, np.float32))
    return Assessed(item, Assessment("00" * 8, "m1", vector, "q1", quality), is_new=True)


async def test_the_vector_query_finds_what_it_filters_by(redis_url: str) -> None:
    (query,) = re.findall(r"^redis-cli (.*)$", READERS, re.MULTILINE)
    stored = [
        assessed(Item("50", "Star", category="Action"), GOOD, 1, 0),
        assessed(Item("near", "Star", category="Action"), GOOD, 0.9, 0.1),
        assessed(Item("far", "Moon", category="Action"), GOOD, 0, 1),
        assessed(Item("other", "Star", category="Drama"), GOOD, 1, 0),
        assessed(Item("sold", "Star", category="Action", available=False), GOOD, 1, 0),
        assessed(Item("broken", "St&amp;r", category="Action"), BAD, 1, 0),
    ]
    async with PackedRedis.from_url(redis_url) as redis:
        retry = Retry("Redis", (RedisError, OSError), Health(), Metrics(CollectorRegistry()).retries)
        store = RedisAssessments(redis, KEYS, retry, VectorSet(redis, KEYS, "m1"), QualitySettings())
        await RedisItems(redis, KEYS, retry).write([each.item for each in stored])
        assert await store.write(stored) == []
        try:
            found = await redis.execute_command(*shlex.split(query))  # type: ignore[no-untyped-call]  # redis-py has no types here
        finally:
            await redis.delete(KEYS.vectors(), KEYS.vectors_model(), *(KEYS.item(each.item.item_id) for each in stored))
    assert list(found) == [b"50", b"near", b"far"]

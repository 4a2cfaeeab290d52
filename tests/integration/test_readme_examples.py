"""The examples of the README do what it says: their events are accepted, and their Python runs."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import orjson
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from redis import Redis

from app.store.keys import Keys
from models.codec import EventSettings, decode
from models.events import KIND_OF_TOPIC, RawBatch

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
SHELL = re.findall(r"^((?:printf|echo) .*) \\$", README, re.MULTILINE)


def rejected(topic: str, value: bytes, broker_time: float) -> list[str]:
    """What the worker would say against the event."""
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
    assert len(SHELL) == 2
    for command in SHELL:
        written = subprocess.run(["sh", "-c", command], capture_output=True, check=True, text=True).stdout
        key, _, text = written.strip().partition("|")
        event = orjson.loads(text)
        assert rejected("clicks", text.encode(), broker_time=time.time()) == []
        assert key == event.get("user_id", f"session:{event.get('session_id')}")


async def test_the_producer_of_the_readme_sends_an_event_that_is_accepted(
    broker: str, read_topic: Callable[[str], Awaitable[list[ConsumerRecord]]]
) -> None:
    assert "localhost:9092" in PYTHON[0]
    await run_python(PYTHON[0].replace("localhost:9092", broker))
    (record,) = await read_topic("clicks")
    assert rejected("clicks", record.value, broker_time=time.time()) == []
    assert record.key.decode() == orjson.loads(record.value)["user_id"]


async def test_the_client_of_the_readme_prints_the_users_list(redis_url: str) -> None:
    stored = re.search(r"^```json\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert stored
    key = Keys("hr:").recommendation("ada")
    assert f"GET '{key}'" in README
    with Redis.from_url(redis_url) as redis:
        redis.set(key, stored[1])
        try:
            printed = await run_python(PYTHON[1].replace("redis://localhost:6379/0", redis_url))
        finally:
            redis.delete(key)
    assert [line.split()[0] for line in printed.splitlines()] == ["525", "127"]

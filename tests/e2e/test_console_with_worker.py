"""The console page with a real worker: a click in the browser becomes a new list in the browser."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from browser import browser_page
from prometheus_client import CollectorRegistry
from shops import Http, client_of

from app.concerns import KafkaSettings, RedisSettings

WORKER_SECONDS = 90.0  # the first lists wait for numba's compiler


@pytest.fixture
def worker(kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path) -> Iterator[Path]:
    """A worker process on this test's topics and keys. Yields its log."""
    settings = {
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_GROUP": kafka.group,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_KAFKA_PARTITIONS": "2",
        "HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "HEADRACE_REDIS_URL": redis_settings.url,
        "HEADRACE_REDIS_PREFIX": redis_settings.prefix,
        "HEADRACE_WORKER_PORT": "0",
    }
    written = tmp_path / "worker.log"
    with written.open("wb") as log:
        command = [str(Path(sys.executable).with_name("headrace")), "worker"]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
    try:
        yield written
    finally:
        process.terminate()
        assert process.wait(30) == 0, written.read_text()[-3000:]


async def produce(kafka: KafkaSettings, topic: str, events: dict[str, dict[str, Any]]) -> None:
    """Send events by key, as a shop would."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    for key, event in events.items():
        key_of_partition = str(event.get("user_id", key)).encode()
        await producer.send_and_wait(kafka.topic_prefix + topic, orjson.dumps(event), key=key_of_partition)
    await producer.stop()


async def until_listed(http: Http, user_id: str, worker_log: Path, *, trending: bool) -> None:
    """Wait until the user gets a list that is not empty: the trending one, or an own one."""
    deadline = time.monotonic() + WORKER_SECONDS
    while True:
        found = await (await http.get(f"/recommendations/{user_id}")).json()
        if found["items"] and (found["model"] == "trending") is trending:
            return
        assert time.monotonic() < deadline, f"{found}\n{worker_log.read_text()[-3000:]}"
        await asyncio.sleep(0.1)


async def test_a_click_in_the_browser_becomes_a_new_list_in_the_browser(
    worker: Path, kafka: KafkaSettings, redis_settings: RedisSettings, registry: CollectorRegistry, tmp_path: Path
) -> None:
    async with client_of(redis_settings, registry, kafka) as http, browser_page(tmp_path) as page:
        await page.open(str(http.make_url("/")))
        await page.until("document.querySelector('#ready span')?.textContent === '1 of 1'", WORKER_SECONDS)

        items = {f"i{n}": {"item_id": f"i{n}", "title": f"Title {n}", "category": f"c{n % 2}"} for n in range(12)}
        await produce(kafka, "items", items)
        views = {
            f"v{user}-{n}": {"event_id": f"v{user}-{n}", "user_id": f"u{user}", "item_id": f"i{n}", "ts": time.time()}
            for user in range(8)
            for n in range(user % 4, 12, 1 + user % 3)
        }
        await produce(kafka, "views", views)
        await until_listed(http, "stranger", worker, trending=True)
        mine = {"event_id": "mine", "user_id": "me", "item_id": "i5", "ts": time.time()}
        await produce(kafka, "views", {"mine": mine})
        await until_listed(http, "me", worker, trending=False)

        await page.open(f"{http.make_url('/')}#users/me")
        await page.until("document.querySelectorAll('#rows button').length > 0")
        first = await page.run("document.querySelector('#rows button').dataset.item")
        await page.run("document.querySelector('#rows button').click()")
        await page.until(f"document.getElementById('status').innerText.includes('from the click on Title {first[1:]}')")
        listed = await page.run("[...document.querySelectorAll('#rows button')].map(button => button.dataset.item)")
        assert first not in listed  # an item that was just clicked is not recommended
        newest = await page.run("document.querySelector('#history li').innerText")
        assert newest.startswith(f"Title {first[1:]}\nclick")
        assert page.complaints == []

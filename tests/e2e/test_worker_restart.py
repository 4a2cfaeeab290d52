"""`headrace worker` with a state folder: after a restart, it reads only what is new."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from redis import Redis

from app.concerns import KafkaSettings
from app.kafka.topics import create_topics

HEADRACE = str(Path(sys.executable).with_name("headrace"))
DEADLINE_SECONDS = 60.0
START = time.time() - 86_400


class WorkerProcess:
    """One `headrace worker`, and the log that it writes."""

    def __init__(self, log: Path, settings: dict[str, str]) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [HEADRACE, "worker"], env={"PATH": os.environ["PATH"], **settings}, stderr=stderr
            )
        self._url = ""

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self._process.poll() is None, self.log
            if found := re.search(r"probes and metrics on (\S+)", self.log):
                self._url = found[1].rstrip("/")
                try:
                    with urllib.request.urlopen(f"{self._url}/readyz", timeout=5) as answer:
                        return bool(json.load(answer)["ready"])
                except OSError:
                    return False
            return False

        wait_for(ready, lambda: self.log)

    def learned(self) -> int:
        with urllib.request.urlopen(f"{self._url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        found = re.search(r'headrace_learned_total\{outcome="learned"\} (\S+)', text)
        return int(float(found[1])) if found else 0

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        return self._process.wait(DEADLINE_SECONDS)


def wait_for(condition: Callable[[], Any], explain: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


class Visitors:
    """Sends views, and reads lists."""

    def __init__(self, kafka: KafkaSettings, redis: Redis, prefix: str) -> None:
        self.kafka, self.redis, self.prefix = kafka, redis, prefix
        self.sent = 0

    def view(self, *views: tuple[str, str]) -> None:
        asyncio.run(self._send(views))

    def items(self, user: str) -> list[str]:
        value = self.redis.get(f"{self.prefix}rec:{{{user}}}")
        assert value is None or isinstance(value, bytes)
        return [each["item_id"] for each in orjson.loads(value)["items"]] if value else []

    async def _send(self, views: tuple[tuple[str, str], ...]) -> None:
        partitions = await create_topics(self.kafka)
        topic = f"{self.kafka.topic_prefix}views"
        async with AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap) as producer:
            for user, item in views:
                event = {"event_id": f"e{self.sent}", "item_id": item, "user_id": user, "ts": START + 10 * self.sent}
                partition = sum(user.encode()) % partitions[topic]
                await producer.send(topic, orjson.dumps(event), user.encode(), partition)
                self.sent += 1


@pytest.fixture
def settings(kafka: KafkaSettings, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "HEADRACE_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "HEADRACE_KAFKA_GROUP": kafka.group,
        "HEADRACE_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "HEADRACE_KAFKA_PARTITIONS": str(kafka.partitions),
        "HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "HEADRACE_REDIS_URL": redis_url,
        "HEADRACE_REDIS_PREFIX": f"{kafka.group}:",
        "HEADRACE_WORKER_PORT": "0",
        "HEADRACE_WORKER_STATE_DIR": str(tmp_path / "state"),
    }


@pytest.fixture
def start(settings: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    started: list[WorkerProcess] = []

    def start_worker(**more: str) -> WorkerProcess:
        worker = WorkerProcess(tmp_path / f"worker-{len(started)}.log", settings | more)
        started.append(worker)
        worker.wait_until_ready()
        return worker

    yield start_worker
    for worker in started:
        worker._process.kill()
        worker._process.wait()


@pytest.fixture
def shop(kafka: KafkaSettings, redis_url: str) -> Iterator[Visitors]:
    with Redis.from_url(redis_url) as redis:
        yield Visitors(kafka, redis, f"{kafka.group}:")


def view_and_wait(shop: Visitors, user: str, item: str, worker: WorkerProcess) -> list[str]:
    shop.view((user, item))
    wait_for(lambda: shop.items(user), lambda: worker.log)
    return shop.items(user)


def test_a_restarted_worker_reads_only_the_rest_and_gives_the_same_lists(
    start: Callable[..., WorkerProcess], shop: Visitors
) -> None:
    walks = [(f"u{user}", f"i{(user * step) % 23}") for step in range(1, 7) for user in range(50)]
    shop.view(*walks)
    first = start()
    wait_for(lambda: first.learned() == len(walks), lambda: first.log)
    assert first.stop() == 0
    assert "no snapshot in" in first.log

    again = start()
    # A worker of another group reads the whole log, and writes its answer under its own keys.
    prefix = f"{shop.prefix}whole:"
    whole = start(
        HEADRACE_WORKER_STATE_DIR="", HEADRACE_KAFKA_GROUP=f"{shop.kafka.group}-whole", HEADRACE_REDIS_PREFIX=prefix
    )
    fresh = view_and_wait(shop, "visitor", "i3", again)
    other = Visitors(shop.kafka, shop.redis, prefix)
    wait_for(lambda: other.items("visitor"), lambda: whole.log)
    assert other.items("visitor") == fresh
    assert (again.learned(), whole.learned()) == (1, len(walks) + 1)
    assert "restored 50 sessions and 23 items" in again.log
    assert again.stop() == whole.stop() == 0


def test_a_killed_worker_goes_on_from_its_last_snapshot(
    start: Callable[..., WorkerProcess], shop: Visitors, tmp_path: Path
) -> None:
    shop.view(*((f"u{user}", f"i{user % 7}") for user in range(40)))
    first = start(HEADRACE_WORKER_SNAPSHOT_SECONDS="1")
    wait_for(lambda: first.learned() == 40, lambda: first.log)
    wait_for((tmp_path / "state" / "worker.snapshot").exists, lambda: first.log)
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    again = start()
    assert "restored" in again.log
    view_and_wait(shop, "visitor", "i3", again)
    assert again.learned() <= 41
    assert again.stop() == 0

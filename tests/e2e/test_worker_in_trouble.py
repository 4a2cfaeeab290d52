"""A worker whose Kafka goes away, or that cannot start: it says so in few words, and recovers."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import redis
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka_lines import broker_that_says
from lines import Line, line_to
from workers import HEADRACE, RunningWorker, environment, free_port, readiness, running_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.store.keys import Keys

MOST_LINES = 60
GOOD_ORDER_SECONDS = 20.0


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """The only way to a broker of this test alone, which advertises the address of the line."""
    port = free_port()
    with broker_that_says(port, tmp_path) as own, line_to(own, port) as found:
        yield found


async def send_view(kafka: KafkaSettings, user_id: str, item_id: str) -> None:
    event = {"event_id": f"{user_id}-{item_id}", "user_id": user_id, "item_id": item_id, "ts": 1_760_000_000}
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait(f"{kafka.topic_prefix}views", orjson.dumps(event), key=user_id.encode())


async def test_a_worker_without_kafka_is_not_ready_says_so_in_few_lines_and_goes_on_when_kafka_is_back(
    kafka: KafkaSettings, redis_settings: RedisSettings, line: Line, tmp_path: Path
) -> None:
    kafka = replace(kafka, bootstrap=f"127.0.0.1:{line.port}")
    store, keys = redis.Redis.from_url(redis_settings.url), Keys(redis_settings.prefix)
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        await send_view(kafka, "ada", "a")
        until(lambda: bool(store.exists(keys.profile("ada"))), worker.log)
        before = len(worker.log.read_text().splitlines())

        line.cut()
        until(lambda: readiness(worker.url)[0] == 503, worker.log)
        _, detail = readiness(worker.url)
        assert detail.startswith("Kafka is away: ")
        # Long enough for a client that logs ten complaints a second to fill the log.
        assert not becomes_ready(worker, seconds=15)
        lines = worker.log.read_text().splitlines()[before:]
        assert len(lines) < MOST_LINES, "\n".join(lines)

        line.mend()
        until(lambda: readiness(worker.url)[0] == 200, worker.log)
        await send_view(kafka, "bob", "b")
        until(lambda: bool(store.exists(keys.profile("bob"))), worker.log)


async def test_a_worker_stops_in_good_order_while_kafka_is_away(
    kafka: KafkaSettings, redis_settings: RedisSettings, line: Line, tmp_path: Path
) -> None:
    kafka = replace(kafka, bootstrap=f"127.0.0.1:{line.port}")
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        line.cut()
        until(lambda: "Failed fetch" in worker.log.read_text(), worker.log)
        worker.process.terminate()
        assert worker.process.wait(GOOD_ORDER_SECONDS) == 0, worker.log.read_text()
    assert "Traceback" not in worker.log.read_text()


def test_a_worker_that_loses_kafka_before_it_is_connected_waits_and_can_be_stopped(
    kafka: KafkaSettings, redis_settings: RedisSettings, line: Line, tmp_path: Path
) -> None:
    environ = environment(replace(kafka, bootstrap=f"127.0.0.1:{line.port}"), redis_settings)
    log = tmp_path / "worker.log"
    with log.open("wb") as written, subprocess.Popen([HEADRACE, "worker"], env=environ, stderr=written) as process:
        try:
            # The worker logs this while it makes the topics, before anything else connects.
            until(lambda: "HEADRACE_MODEL_DIR is empty" in log.read_text(), log)
            line.cut()
            until(lambda: "Kafka is away" in log.read_text(), log)
            process.terminate()
            assert process.wait(GOOD_ORDER_SECONDS) == 0, log.read_text()
        finally:
            process.kill()
    assert "Unclosed" not in log.read_text()
    assert "Traceback" not in log.read_text()


def becomes_ready(worker: RunningWorker, seconds: float) -> bool:
    try:
        until(lambda: readiness(worker.url)[0] == 200, seconds=seconds)
    except AssertionError:
        return False
    return True


async def test_a_state_folder_that_is_a_file_leads_to_one_line_of_advice(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    environ = environment(kafka, redis_settings, HEADRACE_WORKER_STATE_DIR=str(tmp_path / "file"))
    done = subprocess.run([HEADRACE, "worker"], env=environ, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1
    assert "HEADRACE_WORKER_STATE_DIR" in done.stderr.splitlines()[-1]
    assert "Warning" not in done.stderr


async def test_a_worker_ends_with_advice_when_redis_refuses_what_it_writes(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    redis.Redis.from_url(redis_settings.url).set(Keys(redis_settings.prefix).item("mug"), "another program's")
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            value = b'{"item_id":"mug","title":"Mug"}'
            await producer.send_and_wait(f"{kafka.topic_prefix}items", value, key=b"mug")
        until(lambda: worker.process.poll() is not None, worker.log)
    assert worker.process.returncode == 1
    assert "Redis refuses a command" in worker.log.read_text()


async def test_a_worker_tells_what_its_process_uses(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    with running_worker(environment(kafka, redis_settings), tmp_path / "worker.log") as worker:
        assert worker.metric("process_resident_memory_bytes") > 10_000_000

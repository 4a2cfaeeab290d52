"""Rebalances end: on connections to Kafka that are open and dead, or slow, and with partitions that
nobody leads.
"""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from kafka_lines import JOIN_GROUP, OFFSET_COMMIT, OFFSET_FETCH, SYNC_GROUP, KafkaLine, kafka_line
from workers import HEADRACE, environment, readiness, running_worker, unready_worker, until

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics
from app.worker.lifecycle import end_seconds

EVENTS = 200
ENDED_SECONDS = 60.0  # 30 s for the rebalance to end, and some to stop; Faust's own limit is 90 s


@pytest.fixture
def line(tmp_path: Path) -> Iterator[KafkaLine]:
    with kafka_line(tmp_path) as found:
        yield found


@pytest.fixture
def behind(kafka: KafkaSettings, line: KafkaLine) -> KafkaSettings:
    return replace(kafka, bootstrap=f"127.0.0.1:{line.port}", partitions=2)


async def send_views(kafka: KafkaSettings, first: int, end: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=50) as producer:
        for number in range(first, end):
            event = {"event_id": f"e{number}", "user_id": f"u{number % 2}", "item_id": f"i{number % 7}"}
            value = orjson.dumps(event | {"ts": time.time()})
            await producer.send(f"{kafka.topic_prefix}views", value, key=b"u%d" % (number % 2), partition=number % 2)


async def test_a_worker_whose_connection_dies_as_a_rebalance_ends_ends_too_and_a_restart_loses_nothing(
    behind: KafkaSettings, redis_settings: RedisSettings, line: KafkaLine, tmp_path: Path
) -> None:
    await create_topics(behind)
    await send_views(behind, 0, EVENTS)
    environ = environment(behind, redis_settings)
    line.die_at(OFFSET_FETCH)
    log = tmp_path / "ended.log"
    with (
        log.open("wb") as written,
        subprocess.Popen(
            [HEADRACE, "worker", "--json"], env=environ, stdout=subprocess.PIPE, stderr=written
        ) as process,
    ):
        try:
            assert process.stdout is not None
            url = orjson.loads(process.stdout.readline())["url"]
            until(line.dead.is_set, log)
            until(lambda: "has not begun to read" in readiness(url)[1], log)
            assert readiness(url)[0] == 503
            assert process.wait(ENDED_SECONDS) == 1
        finally:
            process.kill()
    assert log.read_text().splitlines()[-1].startswith("headrace: a rebalance gave this worker partitions 30 s ago")
    with running_worker(environ, tmp_path / "worker.log") as worker:
        await send_views(behind, EVENTS, 2 * EVENTS)
        worker.until_events(2 * EVENTS)
        assert worker.metric("headrace_events_total", outcome="accepted") == 2 * EVENTS


async def test_a_worker_on_slow_connections_goes_on(
    behind: KafkaSettings, redis_settings: RedisSettings, line: KafkaLine, tmp_path: Path
) -> None:
    await create_topics(behind)
    await send_views(behind, 0, EVENTS)
    line.delay_seconds = 1.0
    with running_worker(environment(behind, redis_settings), tmp_path / "worker.log") as worker:
        worker.until_events(EVENTS)
        await send_views(behind, EVENTS, 2 * EVENTS)
        worker.until_events(2 * EVENTS)
        until(lambda: worker.read().lag == 0, worker.log)
        assert worker.process.poll() is None


@pytest.mark.parametrize("request_number", [JOIN_GROUP, SYNC_GROUP])
async def test_a_worker_whose_connection_dies_as_it_joins_the_group_joins_on_another_within_a_minute(
    behind: KafkaSettings, redis_settings: RedisSettings, line: KafkaLine, tmp_path: Path, request_number: int
) -> None:
    await create_topics(behind)
    await send_views(behind, 0, EVENTS)
    line.die_at(request_number)
    # It gives a request up after 36 s with this session timeout; `running_worker` waits for 90 s.
    with running_worker(environment(behind, redis_settings), tmp_path / "worker.log") as worker:
        assert line.dead.is_set()
        worker.until_events(EVENTS)
        until(lambda: worker.read().lag == 0, worker.log)


async def test_a_worker_whose_commit_gets_no_answer_ends_or_goes_on_and_each_event_counts_once(
    behind: KafkaSettings, redis_settings: RedisSettings, line: KafkaLine, tmp_path: Path
) -> None:
    await create_topics(behind)
    # Two users view faster than people, and nothing would be learned from robots.
    environ = environment(behind, redis_settings, HEADRACE_PLAUSIBILITY_ROBOTS="accept")
    with running_worker(environ, tmp_path / "worker.log") as worker:
        line.die_at(OFFSET_COMMIT)
        await send_views(behind, 0, EVENTS)
        worker.until_events(EVENTS)
        until(line.dead.is_set, worker.log)
        worker.kill()
    with running_worker(environ, tmp_path / "again.log") as worker:
        await send_views(behind, EVENTS, 2 * EVENTS)
        # Events that are read again are accepted again, so what was learned tells when all came.
        until(lambda: worker.metric("headrace_learned_total", outcome="learned") >= 2 * EVENTS, worker.log)
        until(lambda: worker.read().lag == 0, worker.log)
        assert worker.metric("headrace_learned_total", outcome="learned") == 2 * EVENTS


async def test_a_worker_whose_connections_are_all_dead_ends_soon_after_sigterm(
    behind: KafkaSettings, redis_settings: RedisSettings, line: KafkaLine, tmp_path: Path
) -> None:
    await create_topics(behind)
    await send_views(behind, 0, EVENTS)
    soon = replace(behind, session_timeout_seconds=2.0)
    environ = environment(soon, redis_settings, HEADRACE_KAFKA_SESSION_TIMEOUT_SECONDS="2")
    with running_worker(environ, tmp_path / "worker.log") as worker:
        worker.until_events(EVENTS)
        line.die()
        worker.process.terminate()
        # A request that nobody answers is given up after 32 s with this session timeout.
        assert worker.process.wait(end_seconds(soon)) == 0, worker.log.read_text()
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


async def test_a_partition_that_no_broker_leads_holds_up_no_other_and_ends_no_worker(
    behind: KafkaSettings, redis_settings: RedisSettings, line: KafkaLine, tmp_path: Path
) -> None:
    await create_topics(behind)
    await send_views(behind, 0, EVENTS)
    clicks = f"{behind.topic_prefix}clicks"
    line.leaderless.add((clicks, 1))
    environ = environment(behind, redis_settings)
    with unready_worker(environ, tmp_path / "worker.log") as worker:
        worker.until_events(EVENTS)
        until(lambda: readiness(worker.url) == (503, f"no broker leads {clicks}-1"), worker.log)
        line.leaderless.clear()
        until(lambda: readiness(worker.url)[0] == 200, worker.log)

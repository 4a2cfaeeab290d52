import asyncio
from collections.abc import AsyncIterable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]  # ships no types
from batch_workers import (
    DEADLINE_SECONDS,
    agent_queue_sizes,
    an_app,
    committed,
    numbered,
    send,
    until,
    views,
    views_0,
    working,
)
from faust.types import TP

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.batch_agent import add_batch_agent
from app.kafka.batch_consumer import BatchConsumer
from app.kafka.faust_app import progress_of, run_faust
from app.kafka.topics import create_topics
from models.contract.events import RawBatch


@pytest.fixture
async def settings(kafka: KafkaSettings) -> KafkaSettings:
    settings = replace(kafka, partitions=1, session_timeout_seconds=2.0)
    await create_topics(settings)
    return settings


async def test_a_new_group_reads_from_the_beginning_and_a_restart_reads_exactly_what_is_new(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    await send(settings, numbered(0, 5000))
    async with working(settings, tmp_path) as worker:
        await until(lambda: len(worker.values) == 5000)
    assert worker.values == numbered(0, 5000)
    assert max(map(len, worker.batches)) > 1
    assert await committed(settings) == 5000
    await send(settings, numbered(5000, 5300))
    async with working(settings, tmp_path) as worker:
        await until(lambda: len(worker.values) >= 300)
    assert worker.values == numbered(5000, 5300)


async def test_a_batch_has_the_offsets_times_and_keys_of_its_records(settings: KafkaSettings, tmp_path: Path) -> None:
    await send(settings, numbered(0, 3))
    async with working(settings, tmp_path) as worker:
        await until(lambda: len(worker.values) == 3)
    assert [int(offset) for batch in worker.batches for offset in batch.offsets] == [0, 1, 2]
    assert [key for batch in worker.batches for key in batch.keys] == [b"u1"] * 3
    assert {batch.source for batch in worker.batches} == {f"{views(settings)}-0"}
    assert all(1.7e9 < time < 1e11 for batch in worker.batches for time in batch.times)


async def test_a_committed_offset_of_zero_is_read_from_and_committed_past(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    await send(settings, numbered(0, 10))
    place = TopicPartition(*views_0(settings))
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, group_id=settings.group)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: OffsetAndMetadata(0, "")})
    await consumer.stop()
    async with working(settings, tmp_path) as worker:
        await until(lambda: len(worker.values) == 10)
    assert await committed(settings) == 10


async def test_broken_null_and_large_values_reach_the_agent_untouched(settings: KafkaSettings, tmp_path: Path) -> None:
    values = [b"\xff\xfe{not json", None, b"", b'{"a":', b"x" * 2_000_000, b'{"ok":1}']
    await send(settings, values)
    async with working(settings, tmp_path) as worker:
        await until(lambda: len(worker.values) == len(values))
    assert worker.values == values


async def test_an_exception_in_an_agent_stops_the_worker_and_the_batch_is_read_again(
    settings: KafkaSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail_on_the_second_batch(stream: AsyncIterable[RawBatch]) -> None:
        async for batch in stream:
            seen.append(batch)
            if len(seen) == 2:
                raise ArithmeticError("a bug in the agent")

    seen: list[RawBatch] = []
    small = replace(settings, fetch_max_records=10)
    await send(settings, numbered(0, 100))
    app = an_app(small, tmp_path)
    add_batch_agent(app, "ingest", [views(settings)], fail_on_the_second_batch)
    with pytest.raises(HeadraceError, match="a bug in the agent"):
        await asyncio.wait_for(run_faust(app, asyncio.Event()), DEADLINE_SECONDS)
    assert len(seen) == 2
    assert f"agent ingest failed on {views(settings)}-0 offsets 10 to 19" in caplog.text
    assert await committed(settings) in (None, 10)
    async with working(settings, tmp_path) as worker:
        await until(lambda: b"99" in worker.values)
    assert b"10" in worker.values


async def test_an_agent_that_stops_reading_stops_the_worker(settings: KafkaSettings, tmp_path: Path) -> None:
    async def read_one(stream: AsyncIterable[RawBatch]) -> None:
        async for _ in stream:
            return

    await send(settings, numbered(0, 1))
    app = an_app(settings, tmp_path)
    add_batch_agent(app, "ingest", [views(settings)], read_one)
    with pytest.raises(HeadraceError, match="agent ingest stopped reading"):
        await asyncio.wait_for(run_faust(app, asyncio.Event()), DEADLINE_SECONDS)
    assert await committed(settings) is None


async def test_a_clean_stop_finishes_and_commits_the_batch_in_flight(settings: KafkaSettings, tmp_path: Path) -> None:
    small = replace(settings, fetch_max_records=10)
    await send(settings, numbered(0, 100))
    async with working(small, tmp_path, gate_open=False) as worker:
        await until(worker.entered.is_set)
        worker.stop.set()
        await until(lambda: worker.app.should_stop)
        worker.gate.set()
    assert worker.values == numbered(0, 10)
    assert await committed(settings) == 10
    async with working(settings, tmp_path) as worker:
        await until(lambda: len(worker.values) >= 90)
    assert worker.values == numbered(10, 100)


async def test_a_slow_agent_pauses_fetching_and_loses_nothing(settings: KafkaSettings, tmp_path: Path) -> None:
    small = replace(settings, fetch_max_records=10)
    await send(settings, numbered(0, 500))
    async with working(small, tmp_path, gate_open=False) as worker:
        await until(worker.entered.is_set)
        await until(lambda: not worker.consumer.book.has_room(views_0(settings)))
        for _ in range(20):
            found = await worker.consumer._thread.whereabouts({views_0(settings): 0})
            assert found[views_0(settings)].position == 30
        worker.gate.set()
        await until(lambda: len(worker.values) == 500)
    assert worker.values == numbered(0, 500)


async def test_a_failed_commit_is_not_taken_for_a_commit(
    settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = BatchConsumer._commit
    attempts: list[int] = []

    async def fail_at_first(self: BatchConsumer, offsets: dict[TP, int]) -> bool:
        attempts.append(offsets[views_0(settings)])
        if len(attempts) <= 2:
            assert self.book.committed(views_0(settings)) is None
            return False
        return await commit(self, offsets)

    monkeypatch.setattr(BatchConsumer, "_commit", fail_at_first)
    await send(settings, numbered(0, 10))
    async with working(settings, tmp_path) as worker:
        await until(lambda: worker.consumer.book.committed(views_0(settings)) == 10)
    assert attempts[:3] == [10, 10, 10]
    assert await committed(settings) == 10


async def test_a_seek_repositions_one_partition_and_drops_what_was_fetched_before(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    small = replace(settings, fetch_max_records=10)
    await send(settings, numbered(0, 100))
    async with working(small, tmp_path) as worker:
        await until(lambda: len(worker.values) == 100)
        worker.gate.clear()
        await send(settings, numbered(100, 140))
        # One batch is being processed, and one waits behind it.
        await until(lambda: not worker.consumer.book.has_room(views_0(settings)))
        await until(lambda: bool(worker.consumer.book.running()))
        in_work = worker.consumer.book.running()[0]
        await worker.consumer.seek(views_0(settings), 50)
        worker.gate.set()
        await until(lambda: worker.values[-90:] == numbered(50, 140))
    assert worker.values == [*numbered(0, in_work.next_offset), *numbered(50, 140)]
    assert await committed(settings) == 140


async def test_nothing_more_is_started_once_an_agent_has_failed(settings: KafkaSettings, tmp_path: Path) -> None:
    async with working(settings, tmp_path) as worker:
        await until(lambda: worker.consumer.book.has_room(views_0(settings)))
        worker.consumer.fail()
        await send(settings, numbered(0, 10))
        await until(lambda: not worker.consumer.book.is_idle(views_0(settings)))
        await until(lambda: sum(agent_queue_sizes(worker.app)) == 0)
    assert worker.values == []
    assert await committed(settings) is None


async def test_a_worker_that_gets_nowhere_is_not_alive(settings: KafkaSettings, tmp_path: Path) -> None:
    await send(settings, numbered(0, 10))
    async with working(settings, tmp_path, gate_open=False) as worker:
        progress = progress_of(worker.app)
        await until(lambda: progress.lag() == {views_0(settings): 10})
        assert progress.is_alive(60)
        await until(lambda: not progress.is_alive(0.3))
        worker.gate.set()
        await until(lambda: progress.lag() == {views_0(settings): 0})
        assert progress.is_alive(0.3)


async def test_other_topics_are_read_one_message_at_a_time(settings: KafkaSettings, tmp_path: Path) -> None:
    async def keep(stream: AsyncIterable[bytes]) -> None:
        async for value in stream:
            seen.append(value)

    seen: list[bytes] = []
    await send(settings, numbered(0, 20), topic="clicks")
    app, stop = an_app(settings, tmp_path), asyncio.Event()
    clicks = app.topic(settings.topic_prefix + "clicks", value_type=bytes, value_serializer="raw")
    app.agent(clicks, name="clicks")(keep)
    task = asyncio.create_task(run_faust(app, stop))
    await until(lambda: len(seen) == 20)
    stop.set()
    await task
    assert seen == numbered(0, 20)


async def test_an_end_that_is_not_known_yet_is_no_reason_to_crash(
    settings: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def track(tp: TP, offset: int) -> None:
        assert offset is not None, "Faust's Prometheus sensor fails on None"

    await send(settings, numbered(0, 10))
    async with working(settings, tmp_path) as worker:
        monkeypatch.setattr(worker.app.monitor, "track_tp_end_offset", track)
        monkeypatch.setattr(worker.consumer._thread, "_end", lambda assignment, tp: None)
        await until(lambda: len(worker.values) == 10)

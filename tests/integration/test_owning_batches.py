"""Whether a batch in work is still this worker's: the group's coordinator is asked."""

from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.protocol.group import LeaveGroupRequest  # type: ignore[import-untyped]  # ships no types
from batch_workers import Worker, numbered, send, until, views, working
from builders import batch

from app.concerns import KafkaSettings
from app.kafka.topics import create_topics
from models.contract.events import RawBatch


@pytest.fixture
async def settings(kafka: KafkaSettings) -> KafkaSettings:
    settings = replace(kafka, partitions=1, session_timeout_seconds=2.0)
    await create_topics(settings)
    return settings


async def sign_off(worker: Worker) -> None:
    """Let the group forget the member, as it does after a long silence, without the worker's
    knowledge.
    """
    thread = worker.consumer._thread
    coordinator = thread._ensure_consumer()._coordinator
    request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
    await thread.call_thread(coordinator._send_req, request)


def in_work(settings: KafkaSettings, first: int = 0) -> RawBatch:
    return batch(b"{}", topic=views(settings), first=first)


async def test_a_batch_in_work_is_a_members_own(settings: KafkaSettings, tmp_path: Path) -> None:
    await send(settings, numbered(0, 1))
    async with working(settings, tmp_path, gate_open=False) as worker:
        await worker.entered.wait()
        assert await worker.consumer.owns(in_work(settings))
        assert not await worker.consumer.owns(in_work(settings, first=1))
        worker.gate.set()
        await until(lambda: len(worker.values) == 1)
        await until(lambda: not worker.consumer.holds(in_work(settings)))


async def test_nothing_is_owned_by_whom_the_group_forgot(settings: KafkaSettings, tmp_path: Path) -> None:
    await send(settings, numbered(0, 1))
    async with working(settings, tmp_path, gate_open=False) as worker:
        await worker.entered.wait()
        assert await worker.consumer.owns(in_work(settings))
        await sign_off(worker)
        assert not await worker.consumer.owns(in_work(settings))
        worker.gate.set()
        # It joins again, and gets what it could not commit once more.
        await until(lambda: worker.values == numbered(0, 1) * 2)

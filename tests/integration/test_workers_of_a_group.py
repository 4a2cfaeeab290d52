import asyncio
import signal
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.batch_agent import add_batch_agent
from app.kafka.faust_app import FaustOptions, WorkerApp, build_faust_app, progress_of, run_faust
from app.kafka.topics import create_topics, topics
from models.contract.events import RawBatch

DEADLINE_SECONDS = 40.0
# An odd number: assigning partitions one by one over all topics would not keep the topics together.
PARTITIONS = 5

WORKER_PROCESS = """
import asyncio, signal, sys
import orjson
from app.kafka.batch_agent import add_batch_agent
from app.concerns import KafkaSettings
from app.kafka.faust_app import FaustOptions, build_faust_app, run_faust
from pathlib import Path

async def run(stream):
    async for batch in stream:
        if b"poison" in batch.values:
            raise ArithmeticError("a bug in the agent")
        print(orjson.dumps([batch.partition, [int(value) for value in batch.values]]).decode(), flush=True)

async def main(arguments):
    settings = KafkaSettings(**arguments["kafka"])
    app = build_faust_app(settings, FaustOptions(Path(arguments["state_dir"]), arguments["topics"], commit_seconds=0.1))
    add_batch_agent(app, "ingest", arguments["topics"], run)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_faust(app, stop)

asyncio.run(main(orjson.loads(sys.argv[1])))
"""


@dataclass
class Worker:
    """A worker in this process. It waits in each batch for `gate`."""

    app: WorkerApp
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: list[RawBatch] = field(default_factory=list)
    left: list[RawBatch] = field(default_factory=list)

    async def run(self, stream: AsyncIterable[RawBatch]) -> None:
        async for batch in stream:
            self.entered.append(batch)
            await self.gate.wait()
            self.left.append(batch)

    @property
    def partitions(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for topic, partition in progress_of(self.app).partitions:
            found.setdefault(topic, set()).add(partition)
        return found


@dataclass
class Process:
    """A worker in its own process. `batches` are the partitions and values that it printed."""

    process: asyncio.subprocess.Process
    batches: list[tuple[int, list[int]]] = field(default_factory=list)

    @property
    def values(self) -> list[int]:
        return [value for _, numbers in self.batches for value in numbers]

    async def follow(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            partition, numbers = orjson.loads(line)
            self.batches.append((partition, numbers))


@pytest.fixture
async def settings(kafka: KafkaSettings) -> KafkaSettings:
    settings = replace(kafka, partitions=PARTITIONS, session_timeout_seconds=2.0)
    await create_topics(settings)
    return settings


def batched(settings: KafkaSettings) -> list[str]:
    names = topics(settings)
    return list(names.of_kinds)


@asynccontextmanager
async def a_worker(settings: KafkaSettings, state_dir: Path, gate_open: bool = True) -> AsyncIterator[Worker]:
    worker = Worker(build_faust_app(settings, FaustOptions(state_dir, batched(settings), commit_seconds=0.1)))
    if gate_open:
        worker.gate.set()
    add_batch_agent(worker.app, "ingest", batched(settings), worker.run)
    stop = asyncio.Event()
    task = asyncio.create_task(run_faust(worker.app, stop))
    try:
        yield worker
    finally:
        stop.set()
        await task


@asynccontextmanager
async def a_process(settings: KafkaSettings, directory: Path) -> AsyncIterator[Process]:
    kafka = {"bootstrap": settings.bootstrap, "group": settings.group, "session_timeout_seconds": 2.0}
    state_dir = str(directory) + "-state"
    arguments = orjson.dumps({"kafka": kafka, "topics": batched(settings), "state_dir": state_dir}).decode()
    directory.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER_PROCESS, arguments),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    worker = Process(process)
    following = asyncio.create_task(worker.follow())
    try:
        yield worker
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await following


async def send(settings: KafkaSettings, numbers: range) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap)
    await producer.start()
    try:
        for number in numbers:
            await producer.send(topics(settings).views, b"%d" % number, partition=number % PARTITIONS)
    finally:
        await producer.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def count(worker: Worker) -> int:
    return sum(map(len, worker.partitions.values()))


def values(batches: list[RawBatch]) -> list[int]:
    return [int(value) for batch in batches for value in batch.values if value is not None]


async def test_each_worker_owns_the_same_partitions_of_all_topics(settings: KafkaSettings, tmp_path: Path) -> None:
    async with a_worker(settings, tmp_path) as one, a_worker(settings, tmp_path) as two:
        everything = len(batched(settings)) * PARTITIONS
        await until(lambda: bool(one.partitions and two.partitions) and count(one) + count(two) == everything)
        for worker in (one, two):
            assert len({frozenset(numbers) for numbers in worker.partitions.values()}) == 1
        names = topics(settings)
        assert one.partitions[names.views] | two.partitions[names.views] == set(range(PARTITIONS))
        await send(settings, range(100))
        await until(lambda: len(values(one.left)) + len(values(two.left)) == 100)
    assert sorted(values(one.left) + values(two.left)) == list(range(100))


async def test_a_batch_in_work_during_a_rebalance_is_finished_and_committed(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    await send(settings, range(100))
    async with a_worker(settings, tmp_path, gate_open=False) as one:
        await until(lambda: bool(one.entered))
        async with a_worker(settings, tmp_path) as two:
            await until(lambda: one.app.rebalancing)
            one.gate.set()
            await until(lambda: len(values(one.left)) + len(values(two.left)) == 100)
    assert sorted(values(one.left) + values(two.left)) == list(range(100))


async def test_a_batch_revoked_while_in_work_is_not_committed_and_read_again(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    await send(settings, range(100))
    async with a_worker(settings, tmp_path, gate_open=False) as one:
        await until(lambda: bool(one.entered))
        async with a_worker(settings, tmp_path) as two:
            await until(lambda: bool(two.partitions))
            one.gate.set()
            await until(lambda: set(values(one.left) + values(two.left)) == set(range(100)))
            await until(lambda: len(values(one.left) + values(two.left)) >= 100 + len(one.entered[0]))
    everything = values(one.left) + values(two.left)
    revoked = values(one.entered[:1])
    assert sorted(everything) == sorted([*range(100), *revoked])


async def test_the_other_worker_takes_over_from_one_that_was_killed(settings: KafkaSettings, tmp_path: Path) -> None:
    async with a_process(settings, tmp_path / "one") as one, a_process(settings, tmp_path / "two") as two:
        await send(settings, range(400))
        await until(lambda: len(set(one.values) | set(two.values)) == 400)
        one.process.kill()
        before = len(two.batches)
        await send(settings, range(400, 800))
        await until(lambda: set(one.values) | set(two.values) == set(range(800)))
        assert {partition for partition, _ in two.batches[before:]} == set(range(PARTITIONS))


async def test_a_worker_ends_cleanly_on_sigterm_and_leaves_nothing_behind(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    await send(settings, range(100))
    async with a_process(settings, tmp_path / "one") as worker:
        await until(lambda: len(worker.values) == 100)
        worker.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(worker.process.wait(), DEADLINE_SECONDS) == 0
        assert worker.process.stderr is not None
        assert await worker.process.stderr.read() == b""
        assert list((tmp_path / "one").iterdir()) == []


async def test_a_failing_agent_ends_the_process_with_an_error_in_the_log(
    settings: KafkaSettings, tmp_path: Path
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap)
    await producer.start()
    await producer.send_and_wait(topics(settings).views, b"poison")
    await producer.stop()
    async with a_process(settings, tmp_path / "one") as worker:
        assert worker.process.stderr is not None
        log = await asyncio.wait_for(worker.process.stderr.read(), DEADLINE_SECONDS)
        assert await worker.process.wait() != 0
    assert b"a bug in the agent" in log

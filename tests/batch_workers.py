"""Workers on one partition of `views` that keep what their agent gets."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    TopicPartition,
)
from faust.types import TP

from app.concerns import KafkaSettings
from app.kafka.batch_agent import add_batch_agent
from app.kafka.batch_consumer import BatchConsumer
from app.kafka.faust_app import FaustOptions, WorkerApp, build_faust_app, run_faust
from models.contract.events import RawBatch

DEADLINE_SECONDS = 20.0


@dataclass
class Worker:
    """A worker whose agent keeps what it gets, and waits in each batch for `gate`."""

    app: WorkerApp
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[RawBatch] = field(default_factory=list)

    async def run(self, stream: AsyncIterable[RawBatch]) -> None:
        async for batch in stream:
            self.entered.set()
            await self.gate.wait()
            self.batches.append(batch)

    @property
    def values(self) -> list[bytes | None]:
        return [value for batch in self.batches for value in batch.values]

    @property
    def consumer(self) -> BatchConsumer:
        assert isinstance(self.app.consumer, BatchConsumer)
        return self.app.consumer


@asynccontextmanager
async def working(settings: KafkaSettings, state_dir: Path, gate_open: bool = True) -> AsyncIterator[Worker]:
    worker = Worker(an_app(settings, state_dir))
    if gate_open:
        worker.gate.set()
    add_batch_agent(worker.app, "ingest", [views(settings)], worker.run)
    task = asyncio.create_task(run_faust(worker.app, worker.stop))
    try:
        yield worker
    finally:
        worker.stop.set()
        await task


def an_app(settings: KafkaSettings, state_dir: Path) -> WorkerApp:
    return build_faust_app(settings, FaustOptions(state_dir, [views(settings)], commit_seconds=0.1, watch_seconds=0.1))


def views(settings: KafkaSettings) -> str:
    return settings.topic_prefix + "views"


def views_0(settings: KafkaSettings) -> TP:
    return TP(views(settings), 0)


async def send(settings: KafkaSettings, values: Sequence[bytes | None], topic: str = "views") -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, max_request_size=settings.max_message_bytes)
    await producer.start()
    try:
        for value in values:
            await producer.send(settings.topic_prefix + topic, value, key=b"u1")
    finally:
        await producer.stop()


async def committed(settings: KafkaSettings) -> int | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, group_id=settings.group)
    await consumer.start()
    try:
        offset: int | None = await consumer.committed(TopicPartition(*views_0(settings)))
        return offset
    finally:
        await consumer.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def agent_queue_sizes(app: WorkerApp) -> list[int]:
    return [channel.queue.qsize() for channel in app.topics]


def numbered(first: int, end: int) -> list[bytes | None]:
    return [b"%d" % number for number in range(first, end)]

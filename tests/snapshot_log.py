"""A log of interactions on a real broker, and readers of it that keep snapshots."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from learning import START, follow, new_learn
from made_topics import delete_topics

from agents.learn import Learn
from agents.metrics import total
from app.concerns import WorkerSettings
from app.health import Health
from app.kafka.failure import kafka_retry_errors
from app.kafka.replicas import KafkaReplicas
from app.kafka.topics import create_topics
from app.retry import Retry
from app.settings import Settings
from app.worker.snapshot_keeper import SnapshotKeeper

DEADLINE_SECONDS = 30.0


@dataclass
class Reader:
    """The learning half of a worker. It reads the whole log, or reads on from its snapshot."""

    learn: Learn
    replicas: KafkaReplicas
    keeper: SnapshotKeeper

    @property
    def read(self) -> int:
        return total(self.learn.metrics.learned)

    async def catch_up(self) -> None:
        self.replicas.partitions_assigned()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.replicas.caught_up()


@dataclass
class Log:
    """The topics of one test, and a folder for its worker's snapshots."""

    settings: Settings
    partitions: dict[str, int]
    now: float = START

    async def append(self, records: list[tuple[int, bytes]], items: list[bytes] | None = None) -> None:
        kafka = self.settings.kafka
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            for value in items or []:
                key = orjson.loads(value)["item_id"].encode()
                await producer.send(f"{kafka.topic_prefix}items", value, key, partition=0)
            for partition, value in records:
                await producer.send(f"{kafka.topic_prefix}interactions", value, partition=partition)

    async def recreate(self) -> None:
        await delete_topics(self.settings.kafka, self.partitions)
        await create_topics(self.settings.kafka)

    @asynccontextmanager
    async def reader(self, settings: Settings | None = None) -> AsyncIterator[Reader]:
        settings = settings or self.settings
        learn, prefix = new_learn(), settings.kafka.topic_prefix
        retry = Retry("Kafka", kafka_retry_errors(), Health(), learn.metrics.retries)
        followers = {f"{prefix}items": follow(learn).handle, f"{prefix}interactions": learn.handle}
        replicas = KafkaReplicas(settings.kafka, followers, self.partitions, retry)
        keeper = SnapshotKeeper.of(settings, learn, replicas, lambda: self.now)
        assert keeper is not None
        await replicas.start()
        try:
            await keeper.restore()
            running = asyncio.create_task(replicas.run())
            reader = Reader(learn, replicas, keeper)
            await reader.catch_up()
            try:
                yield reader
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
        finally:
            keeper.close()
            await replicas.stop()

    async def read_whole(self, tmp_path: Path) -> Learn:
        elsewhere = replace(self.settings, worker=WorkerSettings(state_dir=str(tmp_path / "elsewhere")))
        async with self.reader(elsewhere) as reader:
            return reader.learn

"""Sends single events and waits for each acknowledgement, for callers that rarely have an event."""

import asyncio

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types

from app.concerns import KafkaSettings
from app.kafka.clients import make_producer
from app.kafka.failure import as_kafka_away
from app.kafka.partitioning import ProducerPartitioner
from models.contract.events import TOPIC_OF_KIND, Kind

TIMEOUT_SECONDS = 10.0


class EventProducer:
    """Sends events of any kind.

    Connects with the first event: without events, Kafka is not needed.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, kind: Kind, key: str, event: bytes) -> None:
        """Send one event. Returns when the broker has it. Raises KafkaAway."""
        topic = self._settings.topic_prefix + TOPIC_OF_KIND[kind]
        with as_kafka_away():
            async with asyncio.timeout(TIMEOUT_SECONDS):
                producer = await self._started()
                await producer.send_and_wait(topic, event, key=key.encode())

    async def close(self) -> None:
        """Disconnect from the broker."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = make_producer(
                    self._settings,
                    linger_ms=0,
                    partitioner=ProducerPartitioner(self._settings.partitioner),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

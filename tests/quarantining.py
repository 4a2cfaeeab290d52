"""What tests of the quarantine share: rejected records in a real topic."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics
from app.concerns import KafkaSettings
from app.health import Health
from app.kafka.failure import kafka_retry_errors
from app.kafka.outbox import KafkaOutbox, make_batch_producer
from app.kafka.topics import create_topics, topics
from app.retry import Retry
from models.contract.outcome import Reason, Rejected

USER = "ada-lovelace-1815"


@asynccontextmanager
async def outbox_on(kafka: KafkaSettings) -> AsyncIterator[KafkaOutbox]:
    retry = Retry("Kafka", kafka_retry_errors(), Health(), Metrics(CollectorRegistry()).retries)
    outbox = KafkaOutbox(make_batch_producer(kafka), topics(kafka), retry)
    await outbox.start()
    try:
        yield outbox
    finally:
        await outbox.stop()


async def quarantine(kafka: KafkaSettings, rejected: Sequence[Rejected]) -> None:
    await create_topics(kafka)
    async with outbox_on(kafka) as outbox:
        await outbox.quarantine(rejected)


def free_order(kafka: KafkaSettings, offset: int, user: str = USER) -> Rejected:
    """An order at the price 0."""
    value = {"event_id": f"o{offset}", "user_id": user, "item_id": "lamp", "ts": 1_760_000_000, "price": 0}
    place = (f"{kafka.topic_prefix}orders", 1, offset)
    return Rejected(Reason.ZERO_PRICE, "price 0.0 in an order", *place, user.encode(), orjson.dumps(value))


def hasty_view(kafka: KafkaSettings, offset: int, user: str = USER) -> Rejected:
    """A view that came from the future, and is in the past by now."""
    value = {"event_id": f"v{offset}", "user_id": user, "item_id": "lamp", "ts": 1_760_000_000}
    place = (f"{kafka.topic_prefix}views", 2, offset)
    detail = "ts 1760000000.0 is after the broker's time"
    return Rejected(Reason.FROM_THE_FUTURE, detail, *place, user.encode(), orjson.dumps(value))


def file_row() -> Rejected:
    return Rejected(Reason.INVALID_VALUE, "3 cells for 2 columns", "log.csv", 0, 9, None, b"x,%b,y" % USER.encode())

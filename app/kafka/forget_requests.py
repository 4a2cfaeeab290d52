"""Sends requests to forget users to all workers."""

from collections.abc import Sequence

from app.concerns import KafkaSettings
from app.kafka.clients import make_producer
from app.kafka.failure import as_kafka_away
from app.kafka.topics import topics
from models.contract.forgetting import ForgetRequest


async def send_requests(settings: KafkaSettings, requests: Sequence[ForgetRequest], partitions: int) -> None:
    """Append each request to every partition of `forget`.

    A user's events may have been in several partitions, and only the owner of one knows what is in
    it. Raises KafkaAway.
    """
    topic = topics(settings).forget
    with as_kafka_away():
        producer = make_producer(settings, acks="all", linger_ms=5)
        await producer.start()
        try:
            sent = [
                await producer.send(topic, each.value(), each.user_id.encode(), partition=partition)
                for each in requests
                for partition in range(partitions)
            ]
            for each in sent:
                await each
        finally:
            await producer.stop()

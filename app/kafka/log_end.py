"""Finds the end of a partition: the offset of the next record that will be appended to it.

Kafka answers a request for the end with exactly that. The embedded broker (Tansu 0.6) answers with
an end that is too low: the offset just behind the first record of the last record batch. The end
that comes with a fetch (the last stable offset) is right with both, but exists only once something
was fetched. Everything in Headrace that needs the end of a partition takes it from here.
"""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types


def fetched_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """Return the end that the last fetch of an assigned partition reported; None before one.

    It lies before the first record of a transaction that is still open: nobody may read that yet.
    """
    end: int | None = consumer.last_stable_offset(partition)
    return end


def true_end(answered: int, fetched: int | None) -> int:
    """Return the end, from the broker's answer and from what the last fetch reported, if any."""
    return max(answered, fetched or 0)


async def log_ends(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Ask the brokers for the ends of these assigned partitions. Returns them by partition.

    Raises KafkaError and OSError.
    """
    answered = await consumer.end_offsets(list(partitions))
    return {each: true_end(end, fetched_end(consumer, each)) for each, end in answered.items()}

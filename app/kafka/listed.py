"""Lists the partitions of topics that exist.

A consumer knows the partitions of a topic only once it reads it; the embedded broker tells of all
topics at once, and Apache Kafka does not. So all topics are asked for. A question for one topic
might create it.
"""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types


async def listed_partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    """Return all partitions of these topics, in order; none of a topic that does not exist.

    Raises KafkaError and OSError.
    """
    cluster = await consumer._client.fetch_all_metadata()
    return [
        TopicPartition(topic, number)
        for topic in sorted(set(topics))
        for number in sorted(cluster.partitions_for_topic(topic) or ())
    ]

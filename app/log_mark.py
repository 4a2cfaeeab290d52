"""Where a reader stood in a partition, and how it knows later that it is still the same partition.

A topic that was deleted and made again has the same name, and perhaps as many records; the record before the
position tells them apart.
"""

from collections.abc import Mapping
from typing import NamedTuple

import xxhash
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types


class Mark(NamedTuple):
    """The next offset to read, and the fingerprint of the record just before it."""

    position: int
    fingerprint: str


def mark_after(record: ConsumerRecord) -> Mark:
    """The mark of a reader that has handled this record."""
    digest = xxhash.xxh3_128(str(record.timestamp).encode())
    for each in (record.key, record.value):
        digest.update(b"-" if each is None else b"%d:" % len(each))
        digest.update(each or b"")
    return Mark(record.offset + 1, digest.hexdigest())


async def find_difference(consumer: AIOKafkaConsumer, marks: Mapping[TopicPartition, Mark]) -> str:
    """Why the log cannot be read on from these marks; empty when it can, and the consumer stands at them then.

    Partitions without a mark are left where they are.
    """
    begins = await consumer.beginning_offsets(list(marks))
    ends = await consumer.end_offsets(list(marks))
    for partition, mark in marks.items():
        if difference := _bounds(partition, mark, begins[partition], ends[partition]):
            return difference
    for partition, mark in marks.items():
        consumer.seek(partition, mark.position - 1)
    for partition, mark in marks.items():
        if mark_after(await consumer.getone(partition)) != mark:
            return f"offset {mark.position - 1} of {_name(partition)} is another record now"
    return ""


def _bounds(partition: TopicPartition, mark: Mark, begin: int, end: int) -> str:
    if end < mark.position:
        return f"{_name(partition)} ends at offset {end}, before the {mark.position} that was read"
    if begin >= mark.position:
        return f"{_name(partition)} begins at offset {begin} now, {mark.position} was read"
    return ""


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}-{partition.partition}"

"""Where a reader stood in a partition, and how it knows later that it is still the same partition.

A topic that was deleted and made again has the same name, and perhaps as many records; the record before the
position tells them apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import xxhash
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types

from app.kafka.log_end import fetched_end

POLL_MILLISECONDS = 200


class Mark(NamedTuple):
    """The next offset to read, and the fingerprint of the record just before it."""

    position: int
    fingerprint: str


Marks = Mapping[TopicPartition, Mark]


def mark_after(record: ConsumerRecord) -> Mark:
    """The mark of a reader that has handled this record."""
    digest = xxhash.xxh3_128(str(record.timestamp).encode())
    for each in (record.key, record.value):
        digest.update(b"-" if each is None else b"%d:" % len(each))
        digest.update(each or b"")
    return Mark(record.offset + 1, digest.hexdigest())


def as_rows(marks: Marks) -> list[list[Any]]:
    """Marks as lists that JSON can hold: topic, partition, position, fingerprint."""
    return [[*place, *mark] for place, mark in marks.items()]


def from_rows(rows: Iterable[Sequence[Any]]) -> dict[TopicPartition, Mark]:
    """The marks that `as_rows` wrote."""
    return {TopicPartition(topic, number): Mark(*mark) for topic, number, *mark in rows}


async def find_difference(consumer: AIOKafkaConsumer, marks: Marks) -> str:
    """Why the log cannot be read on from these marks; empty when it can, and the consumer stands at them then.

    Partitions without a mark are left where they are.
    """
    for partition, mark in marks.items():
        consumer.seek(partition, mark.position - 1)
    for partition, mark in marks.items():
        if difference := await _compare(consumer, partition, mark):
            return f"{partition.topic}-{partition.partition} {difference}"
    return ""


async def _compare(consumer: AIOKafkaConsumer, partition: TopicPartition, mark: Mark) -> str:
    while True:
        found = await consumer.getmany(partition, timeout_ms=POLL_MILLISECONDS, max_records=1)
        if found:
            same = mark_after(found[partition][0]) == mark
            return "" if same else f"has another record, or none, at offset {mark.position - 1}"
        end = fetched_end(consumer, partition)
        if end is not None and end < mark.position:
            return f"ends at offset {end}, before the {mark.position} that was read"

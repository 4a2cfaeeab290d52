"""Remembers a reader's position, and checks later that the partition is still the same.

A topic that was deleted and made again has the same name, and perhaps as many records. The record
just before the position tells the two apart.
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
    """Return the mark of a reader that has handled this record."""
    digest = xxhash.xxh3_128(str(record.timestamp).encode())
    for each in (record.key, record.value):
        digest.update(b"-" if each is None else b"%d:" % len(each))
        digest.update(each or b"")
    return Mark(record.offset + 1, digest.hexdigest())


def as_rows(marks: Marks) -> list[list[Any]]:
    """Return marks as lists for JSON: topic, partition, position, fingerprint."""
    return [[*place, *mark] for place, mark in marks.items()]


def from_rows(rows: Iterable[Sequence[Any]]) -> dict[TopicPartition, Mark]:
    """Return the marks that `as_rows` wrote. Raises ValueError or TypeError for other rows."""
    marks = {TopicPartition(topic, number): Mark(int(position), str(mark)) for topic, number, position, mark in rows}
    if any(mark.position < 1 for mark in marks.values()):
        raise ValueError("a mark stands before the first record")
    return marks


async def find_difference(consumer: AIOKafkaConsumer, marks: Marks) -> str:
    """Return why the log cannot be read on from these marks; an empty text when it can.

    In that case the consumer is positioned at the marks. Partitions without a mark are not moved.
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

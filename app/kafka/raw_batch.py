"""Turns the records of a partition into the columns that agents and followers handle."""

from collections.abc import Container, Sequence
from typing import Any, TypeVar

import numpy as np
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types

from models.contract.events import RawBatch

MILLISECONDS = 1000.0

T = TypeVar("T")


def to_raw_batch(topic: str, partition: int, records: Sequence[ConsumerRecord]) -> RawBatch:
    """Return Kafka's records as columns.

    Times are in seconds; keys, values and headers are unchanged.
    """
    count = len(records)
    return RawBatch(
        topic=topic,
        partition=partition,
        offsets=np.fromiter((record.offset for record in records), np.int64, count),
        times=np.fromiter((record.timestamp for record in records), np.float64, count) / MILLISECONDS,
        keys=[record.key for record in records],
        values=[record.value for record in records],
        headers=[record.headers for record in records],
    )


def keep_parsed(consumer: Any, topics: Container[str]) -> None:
    """Leave what this AIOKafkaConsumer has fetched of these topics as its parser made it, instead
    of copying every record into an object of 11 fields. Topic and partition are not in these
    records.
    """
    for tp, result in consumer._fetcher._records.items():
        # There may be an error in the place of records.
        records = getattr(result, "_partition_records", None)
        if records is not None and tp.topic in topics:
            records._consumer_record = _as_parsed


def _as_parsed(_partition: object, record: T) -> T:
    return record

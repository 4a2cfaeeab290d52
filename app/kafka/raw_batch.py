"""Turns the records of a partition into the columns that agents and followers handle."""

from collections import OrderedDict
from collections.abc import Container, Sequence
from typing import Any, TypeVar

import numpy as np
from aiokafka import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types
from typing_extensions import override

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
        headers=[record.headers or () for record in records],
    )


def keep_parsed(consumer: Any, topics: Container[str]) -> None:
    """Let this AIOKafkaConsumer, which has just started, hand over the records of these topics as
    its parser made them, instead of copying each into an object of 11 fields. They have no topic
    and no partition.
    """
    consumer._fetcher._records = _Parsed(topics)


class _Parsed(OrderedDict[TopicPartition, Any]):
    """What aiokafka has fetched and nobody took yet, by partition."""

    def __init__(self, topics: Container[str]) -> None:
        super().__init__()
        self._topics = topics

    @override
    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        # There may be an error in the place of records.
        records = getattr(result, "_partition_records", None)
        if records is not None and tp.topic in self._topics:
            records._consumer_record = _as_parsed
        super().__setitem__(tp, result)


def _as_parsed(_partition: object, record: T) -> T:
    return record

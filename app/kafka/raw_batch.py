"""Turns the records of a partition into the columns that agents and followers handle."""

from collections.abc import Sequence

import numpy as np
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types

from models.contract.events import RawBatch

MILLISECONDS = 1000.0


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

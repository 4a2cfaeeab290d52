"""A fetched partition batch as a Faust message: columns for the agent, a ticket for the book."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from faust.types import TP, ConsumerMessage

from app.kafka.batch_book import Ticket
from models.contract.events import RawBatch


class BatchMessage(ConsumerMessage):
    """A batch on its way to an agent.

    Faust is told that it is acked and tracked already: its stream acks even what an agent failed on, so acking is left
    to the ticket.
    """

    def __init__(self, batch: RawBatch, ticket: Ticket, generation_id: int) -> None:
        super().__init__(
            topic=batch.topic,
            partition=batch.partition,
            offset=ticket.first,
            timestamp=float(batch.times[-1]),
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast(bytes, batch),  # Faust's type; the schema of batched topics hands it on untouched
            checksum=None,
            tp=TP(batch.topic, batch.partition),
            generation_id=generation_id,
        )
        self.ticket = ticket
        self.acked = self.tracked = True


def to_raw_batch(tp: TP, records: Sequence[Any]) -> RawBatch:
    """Kafka's records as columns; keys and values are the bytes that Kafka holds."""
    count = len(records)
    return RawBatch(
        topic=tp.topic,
        partition=tp.partition,
        offsets=np.fromiter((record.offset for record in records), np.int64, count),
        times=np.fromiter((record.timestamp for record in records), np.float64, count) / 1000.0,
        keys=[record.key for record in records],
        values=[record.value for record in records],
    )

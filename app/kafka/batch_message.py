"""Carries a fetched batch as a Faust message: columns for the agent, a ticket for the book."""

from typing import cast

from faust.types import TP, ConsumerMessage

from app.kafka.batch_book import Ticket
from models.contract.events import RawBatch


class BatchMessage(ConsumerMessage):
    """A batch that is given to an agent.

    Faust is told that the message is already acked and tracked: Faust's stream acks a message even
    when its agent failed. The ticket does the acking instead.
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
            # Faust's type; the schema of batched topics returns it unchanged
            value=cast(bytes, batch),
            checksum=None,
            tp=TP(batch.topic, batch.partition),
            generation_id=generation_id,
        )
        self.batch = batch
        self.ticket = ticket
        self.acked = self.tracked = True

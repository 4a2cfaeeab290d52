"""A fetched partition batch as a Faust message: columns for the agent, a ticket for the book."""

from typing import cast

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

"""Tracks which batches of each partition are being processed, and which offset may be committed.

Faust keeps sets of acknowledged offsets and trees of the gaps between them. Here a batch is one
interval of offsets and its agent works in order. A queue of intervals per partition is enough, and
simple enough to prove.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

TopicPartition: TypeAlias = tuple[str, int]


class State(Enum):
    """How far the processing of a batch has come."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(slots=True, eq=False)
class Ticket:
    """One batch given to an agent: the records from `first` up to, not including, `next_offset`.

    Tickets are compared by identity.
    """

    partition: TopicPartition
    first: int
    next_offset: int
    state: State = State.WAITING


@dataclass(slots=True, eq=False)
class Page:
    """One partition from its assignment until its revocation or the next seek.

    `committed` and `finished` are offsets of the next record to read.
    """

    committed: int | None
    finished: int | None = None
    tickets: deque[Ticket] = field(default_factory=deque)

    @property
    def committable(self) -> int | None:
        """Return the offset to commit, or None when there is nothing new.

        Offset 0 can be committed.
        """
        if self.finished is None or (self.committed is not None and self.finished <= self.committed):
            return None
        return self.finished

    def settle(self) -> None:
        """Advance over the finished batches at the head of the queue.

        A finished batch behind an unfinished one has to wait.
        """
        while self.tickets and self.tickets[0].state is State.FINISHED:
            self.finished = self.tickets.popleft().next_offset


class BatchBook:
    """Keeps a page for each partition that is assigned to this process.

    A ticket belongs to the page that was open when it was made. When the partition is revoked or
    repositioned, that page is dropped; what happens to its tickets afterwards has no effect.
    """

    def __init__(self, batches_per_partition: int) -> None:
        self._limit = batches_per_partition
        self._pages: dict[TopicPartition, Page] = {}

    def open(self, partition: TopicPartition, committed: int | None) -> None:
        """Open a new page for a partition.

        It is read from its committed offset, or from its beginning when `committed` is None.
        """
        self._pages[partition] = Page(committed)

    def close(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget partitions that were revoked."""
        for partition in partitions:
            self._pages.pop(partition, None)

    def has_room(self, partition: TopicPartition) -> bool:
        """Return whether another batch of this partition may be fetched."""
        page = self._pages.get(partition)
        return page is not None and len(page.tickets) < self._limit

    def is_idle(self, partition: TopicPartition) -> bool:
        """Return whether no batch of this partition is waiting or being processed."""
        page = self._pages.get(partition)
        return page is not None and not page.tickets

    def hand_over(self, partition: TopicPartition, first: int, next_offset: int) -> Ticket:
        """Record that a batch goes to its agent.

        Raises KeyError for a partition that is not open.
        """
        ticket = Ticket(partition, first, next_offset)
        self._pages[partition].tickets.append(ticket)
        return ticket

    def start(self, ticket: Ticket) -> bool:
        """Mark a batch as running. Returns False once its partition was revoked or repositioned."""
        if not self._is_current(ticket):
            return False
        ticket.state = State.RUNNING
        return True

    def finish(self, ticket: Ticket) -> bool:
        """Mark a batch as finished.

        Returns False, and has no effect, once its partition was revoked or repositioned.
        """
        current = self._is_current(ticket)
        ticket.state = State.FINISHED
        if current:
            self._pages[ticket.partition].settle()
        return current

    def pass_over(self, partition: TopicPartition, next_offset: int) -> None:
        """Record that nothing lies between the last batch, which is finished, and this offset."""
        if self.is_idle(partition):
            self._pages[partition].finished = next_offset

    def runs(self, partition: TopicPartition, first: int) -> bool:
        """Return whether the batch from this offset on is in work, and its partition still here."""
        page = self._pages.get(partition)
        tickets = page.tickets if page is not None else ()
        return any(ticket.first == first and ticket.state is State.RUNNING for ticket in tickets)

    def running(self) -> list[Ticket]:
        """Return the batches that agents are processing."""
        pages = self._pages.values()
        return [ticket for page in pages for ticket in page.tickets if ticket.state is State.RUNNING]

    def committable(self) -> dict[TopicPartition, int]:
        """Return the new offsets to commit, by partition: those of the oldest unfinished batch."""
        found = {partition: page.committable for partition, page in self._pages.items()}
        return {partition: offset for partition, offset in found.items() if offset is not None}

    def committed(self, partition: TopicPartition) -> int | None:
        """Return the offset that is known to be committed, or None."""
        page = self._pages.get(partition)
        return page.committed if page is not None else None

    def pages(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Page]:
        """Return the present pages of the partitions, to be given to `confirm` after a commit."""
        return {partition: self._pages[partition] for partition in partitions if partition in self._pages}

    def confirm(self, offsets: Mapping[Page, int]) -> None:
        """Record a commit that succeeded.

        Pages that were dropped during the commit have no effect.
        """
        for page, offset in offsets.items():
            page.committed = offset

    def _is_current(self, ticket: Ticket) -> bool:
        page = self._pages.get(ticket.partition)
        return page is not None and any(ticket is other for other in page.tickets)

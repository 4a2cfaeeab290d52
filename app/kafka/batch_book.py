"""Which batches of each partition are out with an agent, and how far a partition may be committed.

Faust keeps sets of acknowledged offsets and trees of gaps between them; a batch is one interval and its agent works in
order, so a queue of intervals per partition is enough, and simple enough to prove.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

TopicPartition: TypeAlias = tuple[str, int]


class State(Enum):
    """How far a batch has come."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(slots=True, eq=False)
class Ticket:
    """One batch handed over: the records from `first` up to, not including, `next_offset`. Compared by identity."""

    partition: TopicPartition
    first: int
    next_offset: int
    state: State = State.WAITING


@dataclass(slots=True, eq=False)
class Page:
    """One partition from its assignment to its revocation or the next seek; offsets count as "the next to read"."""

    committed: int | None
    finished: int | None = None
    tickets: deque[Ticket] = field(default_factory=deque)

    @property
    def committable(self) -> int | None:
        """The offset to commit, or None when there is nothing new. A committed offset of 0 is an offset."""
        if self.finished is None or (self.committed is not None and self.finished <= self.committed):
            return None
        return self.finished

    def settle(self) -> None:
        """Advance over the finished batches at the head; a finished batch behind an unfinished one has to wait."""
        while self.tickets and self.tickets[0].state is State.FINISHED:
            self.finished = self.tickets.popleft().next_offset


class BatchBook:
    """The pages of all partitions assigned to this process.

    A ticket belongs to the page on which it was written. When the partition is revoked or repositioned, its page is
    torn out: whatever happens to its tickets afterwards changes nothing.
    """

    def __init__(self, batches_per_partition: int) -> None:
        self._limit = batches_per_partition
        self._pages: dict[TopicPartition, Page] = {}

    def open(self, partition: TopicPartition, committed: int | None) -> None:
        """Begin a fresh page for a partition read from its committed offset, or from its beginning for None."""
        self._pages[partition] = Page(committed)

    def close(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget partitions that were revoked."""
        for partition in partitions:
            self._pages.pop(partition, None)

    def has_room(self, partition: TopicPartition) -> bool:
        """Whether another batch of this partition may be fetched."""
        page = self._pages.get(partition)
        return page is not None and len(page.tickets) < self._limit

    def is_idle(self, partition: TopicPartition) -> bool:
        """Whether no batch of this partition is out."""
        page = self._pages.get(partition)
        return page is not None and not page.tickets

    def hand_over(self, partition: TopicPartition, first: int, next_offset: int) -> Ticket:
        """Write down a batch that goes to its agent. Raises KeyError for a partition that is not open."""
        ticket = Ticket(partition, first, next_offset)
        self._pages[partition].tickets.append(ticket)
        return ticket

    def start(self, ticket: Ticket) -> bool:
        """Whether the batch may still be processed; False once its partition was revoked or repositioned."""
        if not self._is_current(ticket):
            return False
        ticket.state = State.RUNNING
        return True

    def finish(self, ticket: Ticket) -> bool:
        """Note that a batch is done; False, and no effect, once its partition was revoked or repositioned."""
        current = self._is_current(ticket)
        ticket.state = State.FINISHED
        if current:
            self._pages[ticket.partition].settle()
        return current

    def running(self) -> list[Ticket]:
        """The batches that agents are working on."""
        pages = self._pages.values()
        return [ticket for page in pages for ticket in page.tickets if ticket.state is State.RUNNING]

    def committable(self) -> dict[TopicPartition, int]:
        """What may be committed: everything before the oldest unfinished batch, where that is news."""
        found = {partition: page.committable for partition, page in self._pages.items()}
        return {partition: offset for partition, offset in found.items() if offset is not None}

    def committed(self, partition: TopicPartition) -> int | None:
        """The offset known to be committed, or None."""
        page = self._pages.get(partition)
        return page.committed if page is not None else None

    def pages(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Page]:
        """The present pages of the partitions, to be given to `confirm` once a commit came back."""
        return {partition: self._pages[partition] for partition in partitions if partition in self._pages}

    def confirm(self, offsets: Mapping[Page, int]) -> None:
        """Note a commit that succeeded; on pages torn out while it was under way that changes nothing."""
        for page, offset in offsets.items():
            page.committed = offset

    def _is_current(self, ticket: Ticket) -> bool:
        page = self._pages.get(ticket.partition)
        return page is not None and any(ticket is other for other in page.tickets)

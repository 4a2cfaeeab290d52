"""The book of batches against a naive model: whatever happens, nothing unfinished is committed."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from app.kafka.batch_book import BatchBook, Page, Ticket, TopicPartition

PARTITIONS: list[TopicPartition] = [("views", 0), ("views", 1), ("orders", 0)]
LIMIT = 3
partitions = st.sampled_from(PARTITIONS)


@dataclass(eq=False)
class Batch:
    """One batch that was handed over: what the model knows of it."""

    first: int
    end: int
    started: bool = False
    finished: bool = False


@dataclass(eq=False)
class Assignment:
    """One time that a partition was ours: every batch of it, and what was committed in it."""

    committed: int | None
    batches: list[Batch] = field(default_factory=list)

    @property
    def unfinished(self) -> list[Batch]:
        """The batches from the first unfinished one on; those behind it wait for it."""
        first = next((n for n, batch in enumerate(self.batches) if not batch.finished), len(self.batches))
        return self.batches[first:]

    @property
    def committable(self) -> int | None:
        """The end of the last batch before which everything is finished, if that is news."""
        done = self.batches[: len(self.batches) - len(self.unfinished)]
        if not done or (self.committed is not None and done[-1].end <= self.committed):
            return None
        return done[-1].end


@dataclass(eq=False)
class Commit:
    """A commit on its way to Kafka: the book's pages, and the model's assignments."""

    pages: dict[Page, int]
    meant: dict[TopicPartition, tuple[Assignment, int]]


class BookMachine(RuleBasedStateMachine):
    """Assigns, revokes, hands over, starts, finishes and commits in any order."""

    tickets: Bundle[tuple[Ticket, Assignment, Batch]] = Bundle("tickets")
    commits: Bundle[Commit] = Bundle("commits")

    def __init__(self) -> None:
        super().__init__()
        self.book = BatchBook(LIMIT)
        self.ours: dict[TopicPartition, Assignment] = {}

    @rule(partition=partitions, committed=st.none() | st.integers(0, 30))
    def assign(self, partition: TopicPartition, committed: int | None) -> None:
        """Also a seek: the partition is read again from another place."""
        self.book.open(partition, committed)
        self.ours[partition] = Assignment(committed)

    @rule(revoked=st.sets(partitions))
    def revoke(self, revoked: set[TopicPartition]) -> None:
        self.book.close(revoked)
        for partition in revoked:
            self.ours.pop(partition, None)

    @precondition(lambda self: any(self.book.has_room(partition) for partition in self.ours))
    @rule(target=tickets, data=st.data(), gap=st.integers(0, 3), size=st.integers(1, 5))
    def hand_over(self, data: st.DataObject, gap: int, size: int) -> tuple[Ticket, Assignment, Batch]:
        """The next records of a partition; compaction may have left a gap before them."""
        partition = data.draw(st.sampled_from([each for each in self.ours if self.book.has_room(each)]))
        mine = self.ours[partition]
        first = (mine.batches[-1].end if mine.batches else mine.committed or 0) + gap
        batch = Batch(first, first + size)
        mine.batches.append(batch)
        return self.book.hand_over(partition, first, first + size), mine, batch

    def _holds(self, ticket: Ticket, mine: Assignment, batch: Batch) -> bool:
        return self.ours.get(ticket.partition) is mine and batch in mine.unfinished

    @rule(handed=tickets)
    def start(self, handed: tuple[Ticket, Assignment, Batch]) -> None:
        ticket, mine, batch = handed
        if batch.started or batch.finished:  # an agent starts a batch once
            return
        expected = self._holds(ticket, mine, batch)
        assert self.book.start(ticket) is expected
        batch.started = expected

    @rule(handed=tickets)
    def finish(self, handed: tuple[Ticket, Assignment, Batch]) -> None:
        ticket, mine, batch = handed
        expected = self._holds(ticket, mine, batch)
        assert self.book.finish(ticket) is expected
        batch.finished = True

    @rule(target=commits)
    def send_commit(self) -> Commit:
        offsets = self.book.committable()
        pages = {page: offsets[partition] for partition, page in self.book.pages(offsets).items()}
        return Commit(pages, {each: (self.ours[each], offset) for each, offset in offsets.items()})

    @rule(commit=consumes(commits))
    def the_commit_succeeds(self, commit: Commit) -> None:
        """Perhaps after the partition was revoked, or given to us again."""
        self.book.confirm(commit.pages)
        for assignment, offset in commit.meant.values():
            assignment.committed = offset

    @rule(commit=consumes(commits))
    def the_commit_fails(self, commit: Commit) -> None:
        """Nothing is known of it; the next one sends the offsets again."""

    @invariant()
    def what_may_be_committed_is_what_the_model_says(self) -> None:
        expected = {each: mine.committable for each, mine in self.ours.items() if mine.committable is not None}
        assert self.book.committable() == expected

    @invariant()
    def no_commit_passes_an_unfinished_batch(self) -> None:
        for partition, offset in self.book.committable().items():
            assert all(batch.finished for batch in self.ours[partition].batches if batch.first < offset)

    @invariant()
    def room_idleness_and_running_batches_are_the_models(self) -> None:
        for partition in PARTITIONS:
            mine = self.ours.get(partition)
            assert self.book.has_room(partition) is (mine is not None and len(mine.unfinished) < LIMIT)
            assert self.book.is_idle(partition) is (mine is not None and not mine.unfinished)
            assert self.book.committed(partition) == (mine.committed if mine is not None else None)
        running = [(mine, b) for mine in self.ours.values() for b in mine.unfinished if b.started and not b.finished]
        found = [(ticket.first, ticket.next_offset) for ticket in self.book.running()]
        assert sorted(found) == sorted((batch.first, batch.end) for _, batch in running)


TestBatchBook = BookMachine.TestCase
TestBatchBook.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

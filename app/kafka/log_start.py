"""Where the log of a partition begins, and what that tells of a topic that changes while it is
read.

A topic that is made again has another first record, at offset 0; where retention removed records,
the first one that is left stands at a higher offset than before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.kafka.batch_book import TopicPartition


class Beginning(NamedTuple):
    """The first record of a partition: its offset, and its time in milliseconds since 1970."""

    offset: int
    time: int

    @property
    def name(self) -> str:
        """The name of the log, as `hr:source:…` has it."""
        return str(self.time)


class Change(StrEnum):
    """Why reading of a partition went on somewhere else than where it was; a label of a metric."""

    MADE_AGAIN = "made_again"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Reset:
    """Reading of a partition went on at another offset; `skipped` records, at most, were removed
    before.
    """

    topic: str
    partition: int
    change: Change
    offset: int
    skipped: int = 0

    def __str__(self) -> str:
        place = f"{self.topic}-{self.partition}"
        if self.change is Change.MADE_AGAIN:
            return f"{place} is another log than before: the topic was made again; it is read from offset {self.offset}"
        return (
            f"{place} begins at offset {self.offset}, and {self.skipped:,} records before it were not read: Kafka "
            "removed them. Raise the topic's retention, or add workers"
        )


class SavedStarts(Protocol):
    """Where partitions began when they were seen last, by whatever worker."""

    async def load(self, topic: str, partition: int) -> tuple[int, int] | None:
        """Offset and time of the first record; None where nothing is saved."""

    async def save(self, topic: str, partition: int, start: tuple[int, int]) -> None:
        """Remember where the partition begins."""


class NothingSaved:
    """The `SavedStarts` of a consumer that remembers none."""

    async def load(self, topic: str, partition: int) -> tuple[int, int] | None:
        """Nothing is saved."""

    async def save(self, topic: str, partition: int, start: tuple[int, int]) -> None:
        """Nothing is remembered."""


@dataclass(slots=True)
class LogStarts:
    """The beginnings of the partitions as they were seen last, since they were assigned."""

    _seen: dict[TopicPartition, Beginning] = field(default_factory=dict)
    _saved: dict[TopicPartition, Beginning] = field(default_factory=dict)

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget the beginnings of these partitions."""
        for partition in partitions:
            self._seen.pop(partition, None)
            self._saved.pop(partition, None)

    def knows(self, partition: TopicPartition) -> bool:
        """Whether its beginning was seen."""
        return partition in self._seen

    def recall(self, partition: TopicPartition, before: tuple[int, int] | None) -> None:
        """Take over what was saved of a partition, if anything was."""
        if before is not None:
            self._seen[partition] = Beginning(*before)
            self.saved(partition)

    def is_unsaved(self, partition: TopicPartition) -> bool:
        """Whether what was seen last differs from what was saved last."""
        return self._saved.get(partition) != self._seen.get(partition)

    def saved(self, partition: TopicPartition) -> None:
        """Note that the last seen beginning is saved."""
        self._saved[partition] = self._seen[partition]

    def see(self, partition: TopicPartition, now: Beginning) -> bool:
        """Note where a partition begins; True when that is another log than before."""
        before, self._seen[partition] = self._seen.get(partition), now
        if before is None:
            return False
        return now.offset < before.offset or (now.offset == before.offset and now.time != before.time)

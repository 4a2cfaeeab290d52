"""Tracks the next offset to read of each partition, to notice when the client jumps."""

from dataclasses import dataclass, field

from app.kafka.batch_book import TopicPartition
from app.kafka.log_start import Beginning, LogStarts
from models.contract.events import RawBatch


@dataclass(slots=True)
class ReadPlaces:
    """The next offset of each partition since its last seek, and the gaps before which nothing was
    read.

    The client goes on from the beginning of a partition, without a word, when the offset that it
    asks for is not there.
    """

    starts: LogStarts = field(default_factory=LogStarts)
    _next: dict[TopicPartition, int] = field(default_factory=dict)
    _gaps: dict[TopicPartition, list[tuple[int, int]]] = field(default_factory=dict)
    _names: dict[TopicPartition, str] = field(default_factory=dict)
    _past_end: set[TopicPartition] = field(default_factory=set)

    def forget(self) -> None:
        """Forget everything, because partitions are handed out again."""
        self.starts = LogStarts()
        self._next.clear()
        self._gaps.clear()
        self._names.clear()
        self._past_end.clear()

    def stand(self, partition: TopicPartition, offset: int) -> None:
        """Note that reading goes on at this offset."""
        self._next[partition] = offset

    def expected(self, partition: TopicPartition) -> int | None:
        """Return the offset at which reading goes on; None where that is open."""
        return self._next.get(partition)

    def start_again(self, partition: TopicPartition, beginning: Beginning) -> None:
        """Another log is read from its beginning; only where that is offset 0 does the log tell its
        name itself.
        """
        self.stand(partition, beginning.offset)
        self._gaps.pop(partition, None)
        self._past_end.discard(partition)
        self._names[partition] = beginning.name if beginning.offset else ""

    def new_name(self, partition: TopicPartition) -> str:
        """Return the log's name if the topic was made again and does not begin at 0, else ''."""
        return self._names.get(partition, "")

    def went_back(self, partition: TopicPartition, batch: RawBatch) -> bool:
        """Note what was fetched; True when it lies before what was expected, as in a log that was
        made again.
        """
        first, expected = int(batch.offsets[0]), self._next.get(partition)
        self._next[partition] = int(batch.offsets[-1]) + 1
        if expected is None or first == expected:
            return False
        if first < expected:
            self.starts.forget([partition])
            self._gaps.pop(partition, None)
            return True
        self._gaps.setdefault(partition, []).append((expected, first))
        return False

    def see_end(self, partition: TopicPartition, position: int | None, end: int) -> None:
        """The next offset that will be fetched, where that is known, and the end of the
        partition.
        """
        if position is not None and position > end:
            self._past_end.add(partition)
        else:
            self._past_end.discard(partition)

    def is_past_end(self, partition: TopicPartition) -> bool:
        """Whether reading stands behind the end: the log that was read is gone."""
        return partition in self._past_end

    def removed_before(self, partition: TopicPartition, beginning: int) -> int:
        """How many offsets that were passed over lie before the beginning, and forget all that were
        passed over.

        Others are no records: a transaction's markers have offsets too.
        """
        gaps = self._gaps.pop(partition, [])
        return sum(min(after, beginning) - before for before, after in gaps if before < beginning)

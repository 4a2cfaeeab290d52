"""Whether the worker makes progress: what a liveness probe needs, as consumers can stop silently after a rebalance."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.kafka.batch_book import TopicPartition


@dataclass(slots=True)
class _Reading:
    moved_at: float
    start: int | None = None
    position: int | None = None
    end: int | None = None

    @property
    def lag(self) -> int | None:
        if self.position is None or self.end is None:
            return None
        return max(0, self.end - self.position)


class Progress:
    """Position, end and time of the last progress of each assigned partition. `clock` gives seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._readings: dict[TopicPartition, _Reading] = {}
        self._rebalancing_since: float | None = None

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """The partitions that this process reads in batches."""
        return frozenset(self._readings)

    @property
    def unplaced(self) -> list[TopicPartition]:
        """Assigned partitions of which nobody knows where reading is: nothing is read of them."""
        return sorted(partition for partition, reading in self._readings.items() if reading.position is None)

    @property
    def behind(self) -> bool:
        """Whether something is left to read, as far as it is known; what is not known counts."""
        return any(reading.lag != 0 for reading in self._readings.values())

    def start_rebalance(self) -> None:
        """Partitions are being taken away; until `assign`, none is read."""
        self._readings.clear()
        if self._rebalancing_since is None:
            self._rebalancing_since = self._clock()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """A rebalance ended with these partitions, perhaps none."""
        now = self._clock()
        self._rebalancing_since = None
        self._readings = {partition: _Reading(now) for partition in partitions}

    def move(self, partition: TopicPartition, position: int) -> None:
        """Everything before `position` is processed."""
        reading = self._readings.get(partition)
        if reading is not None and reading.position != position:
            reading.start = position if reading.start is None else reading.start
            reading.position = position
            reading.moved_at = self._clock()

    def lose(self, partition: TopicPartition) -> None:
        """Nobody knows any more where reading is, until `move` tells."""
        reading = self._readings.get(partition)
        if reading is not None and reading.position is not None:
            reading.position = None
            reading.moved_at = self._clock()

    def advance(self, topic: str) -> None:
        """Something of a batch of the topic is done; one batch at a time is, so the other partitions wait for it."""
        for (name, _), reading in self._readings.items():
            if name == topic:
                reading.moved_at = self._clock()

    def see_end(self, partition: TopicPartition, end: int) -> None:
        """The broker says that the partition ends before this offset. Waiting starts when there is something to do."""
        reading = self._readings.get(partition)
        if reading is None:
            return
        if reading.position is not None and not reading.lag:
            reading.moved_at = self._clock()
        reading.end = end

    def spans(self, topic: str) -> dict[int, tuple[int, int]]:
        """Where reading of the topic's partitions began after they were assigned, and where it is, once known."""
        return {
            partition: (reading.start, reading.position)
            for (name, partition), reading in self._readings.items()
            if name == topic and reading.start is not None and reading.position is not None
        }

    def lag(self) -> dict[TopicPartition, int]:
        """Events behind the end, per partition; none for those whose position or end is not known."""
        return {partition: reading.lag for partition, reading in self._readings.items() if reading.lag is not None}

    def stalled(self, seconds: float) -> list[TopicPartition]:
        """Partitions that have not moved for so long, though they have lag or their position is not known."""
        deadline = self._clock() - seconds
        return sorted(
            partition
            for partition, reading in self._readings.items()
            if (reading.lag or reading.position is None) and reading.moved_at < deadline
        )

    def is_alive(self, seconds: float) -> bool:
        """False when a partition that should, or a rebalance, has not moved for so long."""
        rebalancing = self._rebalancing_since
        stuck = rebalancing is not None and self._clock() - rebalancing > seconds
        return not stuck and not self.stalled(seconds)

"""Tells whether the worker makes progress, for the liveness probe.

A consumer can stop silently after a rebalance.
"""

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
    """Holds position, end and time of the last progress of each assigned partition.

    `clock` gives seconds and is monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._readings: dict[TopicPartition, _Reading] = {}
        self._rebalancing_since: float | None = None
        # Partitions that no broker leads: nothing can be read of them, and a restart would not
        # help.
        self.leaderless: frozenset[TopicPartition] = frozenset()

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """Return the partitions that this process reads in batches."""
        return frozenset(self._readings)

    @property
    def unplaced(self) -> list[TopicPartition]:
        """Return the assigned partitions whose position is unknown. Nothing of them is read."""
        return sorted(partition for partition, reading in self._readings.items() if reading.position is None)

    @property
    def behind(self) -> bool:
        """Return whether something is left to read.

        A partition with an unknown lag counts as behind.
        """
        return any(reading.lag != 0 for reading in self._readings.values())

    def start_rebalance(self) -> None:
        """Note that partitions are being taken away. Until `assign`, none is read."""
        self._readings.clear()
        if self._rebalancing_since is None:
            self._rebalancing_since = self._clock()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Note that a rebalance ended with these partitions; there may be none."""
        now = self._clock()
        self._rebalancing_since = None
        self._readings = {partition: _Reading(now) for partition in partitions}

    def move(self, partition: TopicPartition, position: int) -> None:
        """Note that every record before `position` is processed."""
        reading = self._readings.get(partition)
        if reading is not None and reading.position != position:
            reading.start = position if reading.start is None else reading.start
            reading.position = position
            reading.moved_at = self._clock()

    def lose(self, partition: TopicPartition) -> None:
        """Note that the position of this partition is unknown until the next `move`."""
        reading = self._readings.get(partition)
        if reading is not None and reading.position is not None:
            reading.position = None
            reading.moved_at = self._clock()

    def restart(self, partition: TopicPartition) -> None:
        """The partition is another log now; `move` tells where reading of it begins."""
        if partition in self._readings:
            self._readings[partition] = _Reading(self._clock())

    def advance(self, topic: str) -> None:
        """Note that part of a batch of the topic is done.

        All partitions of the topic count as moved: batches are handled one at a time, so the other
        partitions wait for this one.
        """
        for (name, _), reading in self._readings.items():
            if name == topic:
                reading.moved_at = self._clock()

    def see_end(self, partition: TopicPartition, end: int) -> None:
        """Note the end of a partition, as the broker answers it.

        A partition without lag starts to wait now: it stalls only from the moment there is
        something to read.
        """
        reading = self._readings.get(partition)
        if reading is None:
            return
        if reading.position is not None and not reading.lag:
            reading.moved_at = self._clock()
        reading.end = end

    def spans(self, topic: str) -> dict[int, tuple[int, int]]:
        """Return, by partition, the offset where reading began, and the offset where it is now.

        Partitions whose position is not known are left out.
        """
        return {
            partition: (reading.start, reading.position)
            for (name, partition), reading in self._readings.items()
            if name == topic and reading.start is not None and reading.position is not None
        }

    def lag(self) -> dict[TopicPartition, int]:
        """Return how many records are between position and end, where both are known."""
        return {partition: reading.lag for partition, reading in self._readings.items() if reading.lag is not None}

    def stalled(self, seconds: float) -> list[TopicPartition]:
        """Return the partitions that have not moved for `seconds`.

        Only those count that have lag or whose position is not known.
        """
        deadline = self._clock() - seconds
        return sorted(
            partition
            for partition, reading in self._readings.items()
            if (reading.lag or reading.position is None)
            and reading.moved_at < deadline
            and partition not in self.leaderless
        )

    def is_alive(self, seconds: float) -> bool:
        """Return False when a stalled partition or a rebalance has not moved for `seconds`."""
        rebalancing = self._rebalancing_since
        stuck = rebalancing is not None and self._clock() - rebalancing > seconds
        return not stuck and not self.stalled(seconds)

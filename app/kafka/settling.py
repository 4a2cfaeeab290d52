"""The end of a rebalance: from the assignment of partitions until they are read, which must not take for ever."""

from collections.abc import Callable, Sequence

from app.errors import HeadraceError
from app.kafka.batch_book import TopicPartition

NAMED = 5  # a worker may have hundreds of partitions


class StuckRebalance(HeadraceError):
    """A rebalance did not end in time; the process has to, because Faust would wait for ever."""


class Settling:
    """Measures how long the end of a rebalance takes. `clock` gives seconds, monotonic."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: float | None = None

    def start(self) -> None:
        """Partitions were assigned."""
        self._since = self._clock()

    def stop(self) -> None:
        """Partitions are being taken away again."""
        self._since = None

    def is_overdue(self, *, settled: bool) -> bool:
        """Whether it takes too long; once everything is `settled`, it has ended."""
        if settled:
            self._since = None
        return self._since is not None and self._clock() - self._since > self._seconds

    def error(self, unplaced: Sequence[TopicPartition]) -> StuckRebalance:
        """What to end the process with."""
        return StuckRebalance(
            f"a rebalance gave this worker partitions {self._seconds:g} s ago, and it still cannot read "
            f"{named(unplaced) or 'them'}: Kafka does not answer on a connection that is open. Start the worker again; "
            "nothing is lost, and another worker of the group takes over meanwhile"
        )


def named(partitions: Sequence[TopicPartition]) -> str:
    """The first few partitions, such as `views-0, views-3 and 20 more`; empty for none."""
    few = ", ".join(f"{topic}-{number}" for topic, number in partitions[:NAMED])
    return few if len(partitions) <= NAMED else f"{few} and {len(partitions) - NAMED} more"

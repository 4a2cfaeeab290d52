"""Limits the end of a rebalance: the time from the assignment of partitions until they are read."""

from collections.abc import Callable, Sequence

from app.errors import HeadraceError
from app.kafka.batch_book import TopicPartition

NAMED = 5  # a worker may have hundreds of partitions


class StuckRebalance(HeadraceError):
    """A rebalance did not end in time.

    The process has to end, because Faust would wait for ever.
    """


class Settling:
    """Measures how long the end of a rebalance takes. `clock` gives seconds and is monotonic."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since: float | None = None

    def start(self) -> None:
        """Note that partitions were assigned."""
        self._since = self._clock()

    def stop(self) -> None:
        """Note that partitions are being taken away again."""
        self._since = None

    def is_overdue(self, *, settled: bool) -> bool:
        """Return whether the end of a rebalance takes too long.

        It is over once everything is `settled`.
        """
        if settled:
            self._since = None
        return self._since is not None and self._clock() - self._since > self._seconds

    def error(self, unplaced: Sequence[TopicPartition]) -> StuckRebalance:
        """Return the error that ends the process."""
        return StuckRebalance(
            f"a rebalance gave this worker partitions {self._seconds:g} s ago, and it still cannot read "
            f"{named(unplaced) or 'them'}: Kafka does not answer on a connection that is open. Start the worker again; "
            "nothing is lost, and another worker of the group takes over meanwhile"
        )


def named(partitions: Sequence[TopicPartition]) -> str:
    """Return the first few partitions, such as `views-0, views-3 and 20 more`; empty for none."""
    few = ", ".join(f"{topic}-{number}" for topic, number in partitions[:NAMED])
    return few if len(partitions) <= NAMED else f"{few} and {len(partitions) - NAMED} more"

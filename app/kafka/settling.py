"""The steps of a rebalance, none of which may take for ever."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from app.errors import HeadraceError
from app.kafka.batch_book import TopicPartition

NAMED = 5  # a worker may have hundreds of partitions


class StuckRebalance(HeadraceError):
    """A rebalance did not end in time.

    The process has to end, because Faust would wait for ever.
    """


class Step(StrEnum):
    """What a worker does in a rebalance, in words."""

    LEAVING = "finish and commit what it had in work"
    JOINING = "get its partitions from the group"
    SETTLING = "begin to read the partitions that it was given"


class Settling:
    """Measures how long the present step takes. `limits` are in seconds, `clock` gives seconds,
    monotonic.
    """

    def __init__(self, limits: Mapping[Step, float], clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._step: Step | None = None
        self._since = 0.0

    def enter(self, step: Step) -> None:
        """A step begins, and the one before has ended."""
        self._step, self._since = step, self._clock()

    def is_overdue(self, *, settled: bool, away: bool = False) -> bool:
        """Whether the step takes too long. Once everything is `settled`, the last one has ended.

        While Kafka is `away`, no time passes: a worker that ends would not get its partitions
        either.
        """
        if settled and self._step is Step.SETTLING:
            self._step = None
        if self._step is None:
            return False
        if away:
            self._since = self._clock()
        return self._clock() - self._since > self._limits[self._step]

    def error(self, unplaced: Sequence[TopicPartition]) -> StuckRebalance:
        """Return the error that ends the process, with the step and its limit."""
        step = self._step or Step.SETTLING
        seconds = self._limits[step]
        if step is Step.SETTLING:
            which = named(unplaced) or "them"
            said = f"gave this worker partitions {seconds:g} s ago, and it still cannot read {which}"
        else:
            said = f"does not end: this worker tries for {seconds:g} s to {step}"
        return StuckRebalance(
            f"a rebalance {said}: Kafka does not answer on a connection that is open. Start the worker again; "
            "nothing is lost, and another worker of the group takes over meanwhile"
        )


def named(partitions: Sequence[TopicPartition]) -> str:
    """Return the first few partitions, such as `views-0, views-3 and 20 more`; empty for none."""
    few = ", ".join(f"{topic}-{number}" for topic, number in partitions[:NAMED])
    return few if len(partitions) <= NAMED else f"{few} and {len(partitions) - NAMED} more"

"""How fast a contender was: the clock runs from the first event to the last one that is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Span:
    """Events that were done while the clock ran, its seconds, and the processor seconds that the
    process used.
    """

    events: int
    seconds: float
    cpu_seconds: float

    @property
    def events_per_second(self) -> float:
        """The rate; 0 when no time passed."""
        return self.events / self.seconds if self.seconds > 0 else 0.0

    @property
    def cpu_microseconds_per_event(self) -> float:
        """Processor time of an event, which other work on the machine hardly changes; 0 where it is
        not known.
        """
        return 1e6 * self.cpu_seconds / self.events if self.events else 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """How many events were done at a moment, in seconds of some clock, and the processor seconds
    used by then.
    """

    at: float
    done: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """What several rounds gave."""

    median: float
    low: float
    high: float


def span(seen: Sequence[Sample]) -> Span:
    """The span from `start_of` the observations to the first one with everything done, as the last
    one has.

    >>> first, last = Sample(1.0, 100, 1.5), Sample(3.0, 1100, 3.5)
    >>> span([Sample(0.0, 0, 1.0), first, Sample(2.0, 600, 2.5), last])
    Span(events=1000, seconds=2.0, cpu_seconds=2.0)
    """
    total = seen[-1].done
    end = next(each for each in seen if each.done == total)
    start = seen[start_of(seen)]
    return Span(total - start.done, end.at - start.at, end.cpu - start.cpu)


def start_of(seen: Sequence[Sample]) -> int:
    """Where the clock starts: the first observation with an event done; what it has done already
    does not count.

    Only where that one has everything, the clock starts at the observation before it.
    """
    first = next(at for at, each in enumerate(seen) if each.done)
    return first - 1 if first > 0 and seen[first].done == seen[-1].done else first


def spread(values: Sequence[float]) -> Spread:
    """Median and extremes of at least one value."""
    return Spread(median(values), min(values), max(values))

"""What must hold for any log of interactions: each source offset teaches once, whoever emitted it,
and how often.
"""

from builders import DAY, NOW, Fields, batch, interaction
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from agents.learn import Learn
from agents.metrics import Metrics, total
from models.duplicates import DuplicateFilter
from models.recommender import Recommender, RecommenderSettings

SOURCES = ["views-0", "views-1", "clicks-0"]
Emission = list[Fields]


class Learner:
    """One worker's learning."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.recommender = Recommender(RecommenderSettings())
        self.learn = Learn(self.recommender, DuplicateFilter(DAY, 10_000), self.metrics)

    def reads(self, log: Emission, size: int) -> "Learner":
        for start in range(0, len(log), size):
            self.learn.handle(batch(*log[start : start + size], topic="interactions"))
        return self

    def state(self) -> tuple[dict[str, bytes], dict[str, bytes], int]:
        index, trending = self.recommender.index.snapshot(), self.recommender.trending.snapshot()
        return (
            {name: array.tobytes() for name, array in index.items()},
            {name: array.tobytes() for name, array in trending.items()},
            total(self.metrics.learned, outcome="learned"),
        )


def said(source: str, offset: int) -> Fields:
    """What stood at this offset: the same whoever emits it."""
    return interaction(
        offset,
        source=source,
        event_id=f"{source}/{offset}",
        item_id=f"i{offset * 7 % 5}",
        session_id=f"s{offset % 3}",
        ts=NOW + 10.0 * offset + SOURCES.index(source),
    )


@st.composite
def emissions(draw: st.DrawFn) -> tuple[Emission, Emission]:
    """A log in which workers lost partitions, went back and emitted late; and what it says, each
    offset once.

    Nobody leaves out an offset: an emission begins at the end of what is emitted, or before it.
    """
    ends = dict.fromkeys(SOURCES, 0)
    log: Emission = []
    once: Emission = []
    for _ in range(draw(st.integers(0, 12))):
        source = draw(st.sampled_from(SOURCES))
        first = draw(st.integers(max(0, ends[source] - 4), ends[source]))
        count = draw(st.integers(1, 5))
        log += [said(source, offset) for offset in range(first, first + count)]
        once += [said(source, offset) for offset in range(ends[source], first + count)]
        ends[source] = max(ends[source], first + count)
    return log, once


@given(emissions(), st.integers(1, 9))
def test_a_log_with_repeats_teaches_what_it_says_once(logs: tuple[Emission, Emission], size: int) -> None:
    log, once = logs
    assert Learner().reads(log, size).state() == Learner().reads(once, 1_000).state()


@given(emissions(), st.integers(1, 9))
def test_a_log_read_twice_teaches_nothing_new(logs: tuple[Emission, Emission], size: int) -> None:
    log, _ = logs
    learner = Learner().reads(log, size)
    before = learner.state()
    assert learner.reads(log, size).state() == before

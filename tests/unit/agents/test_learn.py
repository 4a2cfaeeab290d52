"""Learning from the log of interactions: every source offset once, whoever emitted it and how
often.
"""

from dataclasses import replace

import numpy as np
import pytest
from builders import DAY, NOW, batch, decided, event, keys_of
from prometheus_client import CollectorRegistry

from agents.learn import Learn
from agents.metrics import Metrics, total
from models.contract.event_codec import EventSettings
from models.contract.events import Kind, RawBatch
from models.contract.forgetting import forgotten_headers
from models.duplicates import DuplicateFilter
from models.processor import Followed, ListMaker, admit, follow, hash_session
from models.recommender import Recommender, RecommenderSettings
from models.users.gather import ListRequests


class Learner:
    """One worker's learning, and what it knows."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.recommender = Recommender(RecommenderSettings())
        self.seen = DuplicateFilter(DAY, 10_000)
        self.learn = Learn(self.recommender, self.seen, self.metrics)

    def reads(self, *values: bytes | None, partition: int = 0) -> "Learner":
        """A batch of the log."""
        self.learn.handle(batch(*values, topic="interactions", partition=partition))
        return self

    def decides(self, raw: RawBatch, kind: Kind = Kind.VIEW) -> Followed:
        """Learn a batch of its own, before it is emitted."""
        admitted = admit(raw, kind, self.seen, EventSettings())
        table = ListMaker.of(self.recommender, 100).table
        table.find([])
        followed = follow(admitted, table, table.add(dict.fromkeys(admitted.users)))
        self.learn.learn_own([followed])
        return followed

    def counts(self, outcome: str) -> int:
        return total(self.metrics.learned, outcome=outcome)

    def knows(self) -> dict[str, float]:
        """Popularity by item; an item that was learned twice stands out against one that was
        learned once.
        """
        overall = self.recommender.trending.lists(self.recommender.catalogue, self.recommender.items.names, 100).overall
        return {each.item_id: round(-each.minus_share, 6) for each in overall}

    def repeats(self, event_id: str) -> bool:
        """Whether the worker would call this event a duplicate."""
        keys = keys_of([event_id])
        found = self.seen.remember("views-9", np.array([99]), np.array([NOW]), np.array([NOW]), keys)
        return bool(found[0])


def test_an_interaction_is_learned_once() -> None:
    learner = Learner().reads(decided(0, item_id="a"), decided(1, item_id="b"))
    learner.reads(decided(0, item_id="a"), decided(1, item_id="b"), decided(2, item_id="b"))
    assert learner.knows() == {"b": 1.0, "a": 0.5}
    assert (learner.counts("learned"), learner.counts("repeated")) == (3, 2)


def test_a_repeat_within_one_batch_is_learned_once() -> None:
    learner = Learner().reads(decided(0, item_id="a"), decided(0, item_id="a"), decided(1, item_id="b"))
    assert learner.knows() == {"a": 1.0, "b": 1.0}


def test_source_partitions_that_interleave_are_told_apart() -> None:
    learner = Learner().reads(
        decided(5, source="views-0", item_id="a"),
        decided(2, source="clicks-0", item_id="b"),
        decided(6, source="views-0", item_id="c"),
        decided(3, source="clicks-0", item_id="d"),
        decided(5, source="views-0", item_id="a"),
        decided(2, source="clicks-0", item_id="b"),
    )
    assert set(learner.knows().values()) == {1.0}
    assert (learner.counts("learned"), learner.counts("repeated")) == (4, 2)


def test_partitions_of_the_log_may_be_read_in_any_order() -> None:
    learner = Learner().reads(decided(100, item_id="a"), partition=1).reads(decided(3, item_id="b"), partition=0)
    assert learner.counts("learned") == 2


def test_what_a_worker_that_lost_its_partition_emits_late_is_a_repeat() -> None:
    # log: ── old worker: 0-2 ── new worker reads 1 and on: 1-4 ── old worker, late: 3, 4 ── new
    # worker: 5
    learner = Learner().reads(*(decided(n) for n in (0, 1, 2)))
    learner.reads(*(decided(n) for n in (1, 2, 3, 4)))
    learner.reads(*(decided(n) for n in (3, 4)))
    learner.reads(decided(5))
    assert (learner.counts("learned"), learner.counts("repeated")) == (6, 4)


def test_a_worker_learns_its_own_batch_before_and_not_again_from_the_log() -> None:
    learner = Learner()
    learner.decides(batch(event("e0", item_id="a"), event("e1", item_id="b"), partition=2))
    learner.reads(*(decided(n, item_id=i, source="views-2") for n, i in enumerate("ab")), partition=2)
    assert learner.knows() == {"a": 1.0, "b": 1.0}
    assert (learner.counts("learned"), learner.counts("repeated")) == (2, 2)


def test_a_worker_that_reads_its_batch_again_learns_it_once() -> None:
    learner = Learner()
    raw = batch(event("e0", item_id="a"), event("e1", item_id="b"))
    learner.decides(raw)
    learner.decides(raw)
    learner.decides(batch(event("e1", item_id="b"), event("e2", item_id="c"), first=1))
    assert learner.knows() == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert learner.counts("learned") == 3


def test_a_new_worker_learns_only_what_the_log_did_not_hold() -> None:
    learner = Learner().reads(decided(0, item_id="a"), decided(1, item_id="b"))
    learner.decides(batch(event("e0", item_id="a"), event("e1", item_id="b"), event("e2", item_id="c")))
    assert learner.knows() == {"a": 1.0, "b": 1.0, "c": 1.0}


def test_a_batch_without_accepted_events_teaches_nothing() -> None:
    learner = Learner()
    learner.decides(batch(b"{", None))
    assert learner.counts("learned") == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_an_own_batch_weighs_as_it_does_from_the_log(kind: Kind) -> None:
    own, other = Learner(), Learner()
    for learner in (own, other):
        learner.reads(decided(0, event_id="z0", item_id="z", kind="click", source="clicks-7"), partition=1)
    own.decides(batch(event("e0", item_id="a")), kind)
    other.reads(decided(0, item_id="a", kind=kind.label))
    assert own.knows() == other.knows()


def test_event_ids_of_other_workers_become_duplicates_here() -> None:
    learner = Learner().reads(decided(0), decided(0, source="clicks-0", event_id="click"))
    assert learner.repeats("e0")
    assert learner.repeats("click")
    assert not learner.repeats("new")


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"[]", b"{}", decided(0, session_id=5), decided(0, kind="poke"), decided(0, source=["views-0"])],
    ids=repr,
)
def test_somebody_elses_record_is_counted_and_stops_nothing(value: bytes | None) -> None:
    learner = Learner().reads(decided(0, item_id="a"), value, decided(1, item_id="b"))
    assert learner.knows() == {"a": 1.0, "b": 1.0}
    assert (learner.counts("learned"), learner.counts("unreadable")) == (2, 1)


def test_the_memory_of_the_index_is_a_metric() -> None:
    learner = Learner().reads(decided(0))
    [family] = learner.metrics.index_bytes.collect()
    assert family.samples[0].value == learner.recommender.index.memory_bytes > 0


def test_the_newest_log_of_a_source_that_was_learned_is_known_by_name() -> None:
    worker = Learner()
    assert worker.learn.log_of("views", 0) == ""
    worker.learn.applied.update({(0, "views-0@999"): 4, (1, "views-0@1000"): 2, (0, "views-01@2000"): 3, (0, "x"): 1})
    assert worker.learn.log_of("views", 0) == "1000"


def test_sessions_are_forgotten_where_the_log_says_so_and_learned_again_after_that() -> None:
    learner = Learner()
    log = batch(
        *(decided(0, item_id="a"), decided(1, item_id="b"), None, None, decided(2, item_id="c")), topic="interactions"
    )
    forgotten = forgotten_headers([hash_session("s1"), 5])
    learner.learn.handle(replace(log, headers=[(), (), (), forgotten, ()]))
    request = ListRequests.of_items(learner.recommender.items.numbers(["a"]), 0)
    assert learner.recommender.neighbours(request, 5)[0].max() == -1
    assert learner.knows() == {"a": 1.0, "b": 1.0, "c": 1.0}  # sums over all users stay
    assert (learner.counts("learned"), learner.counts("unreadable")) == (3, 1)
    learner.reads(decided(3, item_id="a"), decided(4, item_id="c"))
    assert learner.recommender.neighbours(request, 5)[0].max() == learner.recommender.items.find("c")

"""The neighbour index against a naive one, while it learns, restarts and answers."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from naive_neighbours import SESSIONS, SMALL, Event, Reference, ask, content, event, recent_items

from models.neighbours.index import NeighbourIndex
from models.vocabulary import Vocabulary


class IndexMachine(RuleBasedStateMachine):
    """Learns batches, repeats of old ones, restarts from snapshots, and answers in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = Vocabulary()
        self.index = NeighbourIndex(SMALL, self.vocabulary)
        self.log: list[Event] = []
        self.saved: tuple[dict[str, np.ndarray], list[Event]] | None = None

    def _learn(self, batch: list[Event]) -> None:
        sessions, items, ts = zip(*batch, strict=True)
        self.index.update(np.array(sessions, np.uint64), self.vocabulary.numbers(items), np.array(ts, np.float64))
        self.log = self.log + batch

    @rule(batch=st.lists(event, min_size=1, max_size=25))
    def learn(self, batch: list[Event]) -> None:
        self._learn(batch)

    @precondition(lambda self: self.log)
    @rule(data=st.data())
    def learn_again_what_was_learned(self, data: st.DataObject) -> None:
        self._learn(data.draw(st.lists(st.sampled_from(self.log), min_size=1, max_size=10)))

    @rule()
    def save(self) -> None:
        self.saved = dict(self.index.snapshot()), self.log

    @precondition(lambda self: self.saved is not None)
    @rule()
    def crash_and_restore(self) -> None:
        """Everything since the snapshot is forgotten; a worker then reads it again from the log."""
        assert self.saved is not None  # the precondition; narrows the type
        columns, self.log = self.saved
        self.vocabulary = Vocabulary()
        self.index = NeighbourIndex(SMALL, self.vocabulary)
        self.index.restore(columns)

    @rule(recent=recent_items, own=st.sampled_from([0, *SESSIONS]))
    def answer(self, recent: list[str], own: int) -> None:
        expected = Reference(self.log).scores(recent, own)
        found = ask(self.index, recent, own)
        assert len(found) == min(4, len(expected))
        assert [score for _, score in found] == pytest.approx([expected[item] for item, _ in found], rel=1e-5)
        best = sorted(expected.values(), reverse=True)[: len(found)]
        assert [score for _, score in found] == pytest.approx(best, rel=1e-5)

    @invariant()
    def it_holds_the_latest_items_of_each_session(self) -> None:
        naive = Reference(self.log).sessions
        held: dict[int, set[str]] = {}
        for session, item, _ in content(self.index):
            held.setdefault(session, set()).add(item)
        assert held == {session: set(items) for session, items in naive.items()}


TestNeighbourIndex = IndexMachine.TestCase
TestNeighbourIndex.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)

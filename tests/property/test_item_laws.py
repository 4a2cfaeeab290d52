"""What must hold for what is learned of items: it follows from the events, not from how they were
cut or mixed.
"""

from collections import defaultdict

import numpy as np
import pytest
from builders import DAY, NOW
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import Kind
from models.items.facts import HALF_LIFE_SECONDS, NO_BRAND, NO_PRICE, ItemFacts
from models.items.transitions import HALF_LIFE_SECONDS as TRANSITION_HALF_LIFE
from models.items.transitions import WINDOW, Transitions

ITEMS = 6
Event = tuple[int, int, float]  # session, item, event time
Weights = dict[tuple[int, int], float]

events = st.tuples(st.integers(1, 4), st.integers(0, ITEMS - 1), st.integers(0, 50))
logs = st.lists(events, max_size=60).map(
    lambda log: [(session, item, NOW - DAY * age) for session, item, age in sorted(log, key=lambda each: -each[2])]
)


def learn(log: list[Event], size: int, transitions: Transitions | None = None) -> Transitions:
    found = transitions or Transitions(sessions=16)
    for start in range(0, len(log), size):
        cut = log[start : start + size]
        found.learn(
            np.array([session for session, _, _ in cut], np.uint64),
            np.array([item for _, item, _ in cut], np.int32),
            np.array([ts for _, _, ts in cut]),
        )
    return found


def weights(transitions: Transitions) -> Weights:
    """The weights as of NOW."""
    return {
        (source, target): weight
        for source in range(ITEMS)
        for target, weight in zip(*(column.tolist() for column in transitions.successors(source, NOW)), strict=True)
    }


def naive(log: list[Event]) -> Weights:
    trails: dict[int, list[int]] = defaultdict(list)
    found: Weights = defaultdict(float)
    for session, item, ts in log:
        for distance, before in enumerate(reversed(trails[session][-WINDOW:]), 1):
            if before != item:
                found[before, item] += 0.5 ** ((NOW - ts) / TRANSITION_HALF_LIFE) / distance
        trails[session].append(item)
    return found


@given(logs, st.integers(1, 9))
def test_transitions_are_those_that_the_formula_says_however_the_log_is_cut(log: list[Event], size: int) -> None:
    assert weights(learn(log, size)) == pytest.approx(naive(log))


@given(logs)
def test_how_sessions_interleave_does_not_matter(log: list[Event]) -> None:
    by_session = sorted(log, key=lambda event: event[0])
    assert weights(learn(by_session, 7)) == pytest.approx(weights(learn(log, 7)))


@given(logs, st.integers(0, 60))
def test_transitions_go_on_from_a_snapshot_as_if_nothing_had_happened(log: list[Event], cut: int) -> None:
    restored = Transitions(sessions=16)
    restored.restore(learn(log[:cut], 5).snapshot())
    whole = learn(log, 5)
    assert weights(learn(log[cut:], 5, restored)) == pytest.approx(weights(whole))
    totals = [whole.total(item, NOW) for item in range(ITEMS)]
    assert [restored.total(item, NOW) for item in range(ITEMS)] == pytest.approx(totals)


def test_an_event_that_comes_late_counts_from_its_place_in_time() -> None:
    found = weights(learn([(1, 0, NOW), (1, 2, NOW), (1, 1, NOW - 1.0)], 3))
    assert set(found) == {(0, 2), (1, 0), (1, 2)}


def test_of_many_successors_the_heaviest_stay() -> None:
    transitions, log = Transitions(most=4), []
    for number in range(40):
        log += [(number + 1, 0, NOW), (number + 1, 1 + number % 10, NOW)]
        log += [(100 + number, 0, NOW), (100 + number, 1, NOW)] * 3
    found = learn(log, 9, transitions).successors(0, NOW)
    assert len(found.items) == 4
    assert found.items[0] == 1
    assert found.weights.tolist() == sorted(found.weights.tolist(), reverse=True)
    assert found.weights.sum() < transitions.total(0, NOW)


def test_memory_does_not_depend_on_how_often_items_follow_each_other() -> None:
    log = [(1 + at % 7, at % ITEMS, NOW + at) for at in range(2_000)]
    transitions = learn(log, 100)
    before = transitions.memory_bytes
    learn(log, 100, transitions)
    assert transitions.memory_bytes == before


counted = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Kind), st.integers(0, 90)), max_size=40)


def count(log: list[tuple[int, Kind, int]], size: int) -> ItemFacts:
    facts = ItemFacts()
    for start in range(0, len(log), size):
        cut = log[start : start + size]
        facts.learn(
            np.array([item for item, _, _ in cut], np.int32),
            np.array([kind for _, kind, _ in cut], np.int32),
            np.array([NOW - DAY * age for _, _, age in cut]),
        )
    return facts


@given(counted, st.integers(1, 9), st.randoms(use_true_random=False))
def test_counts_fade_and_depend_on_no_order(log: list[tuple[int, Kind, int]], size: int, random: object) -> None:
    shuffled = sorted(log, key=lambda _: random.random())  # type: ignore[attr-defined]  # Hypothesis gives a Random
    expected = np.zeros((4, len(Kind), len(HALF_LIFE_SECONDS)))
    for item, kind, age in log:
        expected[item, kind] += 0.5 ** (DAY * age / np.array(HALF_LIFE_SECONDS))
    for facts in (count(log, size), count(shuffled, 3)):
        assert facts.counts_at(np.arange(4, dtype=np.int32), NOW) == pytest.approx(expected, rel=1e-5, abs=1e-6)
        first = [min((NOW - DAY * age for at, _, age in log if at == item), default=np.inf) for item in range(4)]
        assert facts.first_seen[:4].tolist() == first


def test_facts_come_back_from_a_snapshot() -> None:
    facts = count([(3, Kind.ORDER, 2), (0, Kind.VIEW, 1)], 1)
    facts.describe(2_000, "Ørsted", 9.5)
    facts.describe(1, "", None)
    restored = ItemFacts()
    restored.restore(facts.snapshot())
    assert restored.brands.names[restored.brand[2_000]] == "Ørsted"
    assert (restored.price[2_000], restored.price[1], restored.brand[1]) == (9.5, NO_PRICE, NO_BRAND)
    assert np.array_equal(restored.counts, facts.counts)
    assert np.array_equal(restored.first_seen, facts.first_seen)


def test_the_trail_of_a_forgotten_session_leads_nowhere() -> None:
    sessions, items = np.array([7, 9], np.uint64), np.array([0, 1], np.int32)
    known = Transitions()
    known.learn(sessions, items, np.zeros(2))
    known.forget(np.array([7, 8], np.uint64))
    kept = known.snapshot()
    assert kept["sessions"].tolist() == [9]
    known.learn(np.array([7, 9], np.uint64), np.array([2, 2], np.int32), np.ones(2))
    assert len(known.successors(0, 1.0).items) == 0
    assert known.successors(1, 1.0).items.tolist() == [2]

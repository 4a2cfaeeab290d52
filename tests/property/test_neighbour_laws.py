"""Check laws of the neighbour index: only the set of events counts, and its formula holds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_neighbours import (
    NAMES,
    SESSIONS,
    SMALL,
    Event,
    Reference,
    ask,
    build,
    content,
    event,
    events,
    lists,
    read_names,
    recent_items,
)

from models.neighbours.index import NeighbourIndex, NeighbourSettings
from models.vocabulary import Vocabulary


@given(events, recent_items, st.sampled_from([0, *SESSIONS]))
@settings(max_examples=400, deadline=None)
def test_predictions_are_those_of_the_formula(log: list[Event], recent: list[str], own: int) -> None:
    expected = Reference(log).scores(recent, own)

    found = ask(build(log), recent, own)

    assert len(found) == min(4, len(expected))
    assert [score for _, score in found] == pytest.approx(
        sorted(expected.values(), reverse=True)[: len(found)], rel=1e-5
    )
    assert [score for _, score in found] == pytest.approx([expected[item] for item, _ in found], rel=1e-5)
    assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))


@given(events, st.data(), st.integers(1, 7), recent_items)
@settings(max_examples=200, deadline=None)
def test_order_batches_and_repeats_change_nothing(
    log: list[Event], data: st.DataObject, batch: int, recent: list[str]
) -> None:
    repeated = log + (data.draw(st.lists(st.sampled_from(log), max_size=10)) if log else [])
    shuffled = data.draw(st.permutations(repeated))

    one, other = build(log), build(shuffled, batch=batch)

    assert lists(one) == lists(other)
    assert ask(one, recent) == ask(other, recent)


@given(events, recent_items)
@settings(max_examples=100, deadline=None)
def test_a_restored_snapshot_answers_alike_and_learns_on_alike(log: list[Event], recent: list[str]) -> None:
    half = len(log) // 2
    saved, vocabulary = build(log[:half]), Vocabulary()
    vocabulary.numbers(["numbered before", NAMES[3]])
    restored = NeighbourIndex(SMALL, vocabulary)

    restored.restore(saved.snapshot())

    assert content(restored) == content(saved)
    for session, item, ts in log[half:]:
        restored.update(np.array([session], np.uint64), vocabulary.numbers([item]), np.array([ts]))
    assert content(restored) == content(build(log))
    assert ask(restored, recent) == ask(build(log), recent)


@given(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), max_size=40), recent_items)
@settings(max_examples=100, deadline=None)
def test_a_full_index_knows_just_the_latest_sessions(baskets: list[list[str]], recent: list[str]) -> None:
    bounded = NeighbourSettings(neighbours=3, session_items=3, sessions=5)
    logs: list[list[Event]] = [
        [(1 + number * 1024, item, float(10 * number + place)) for place, item in enumerate(basket)]
        for number, basket in enumerate(baskets)
    ]

    full = build([event for log in logs for event in log], bounded)
    fresh = build([event for log in logs[-5:] for event in log], bounded)

    assert content(full) == content(fresh)
    assert ask(full, recent) == ask(fresh, recent)


@given(st.lists(event, min_size=60, max_size=120), st.integers(1, 4), recent_items)
@settings(max_examples=200, deadline=None)
def test_postings_are_the_sessions_that_hold_the_item_also_where_sessions_are_long_and_few(
    log: list[Event], slots: int, recent: list[str]
) -> None:
    few = replace(SMALL, sessions=slots)
    index, restored = build(log, few), NeighbourIndex(few, Vocabulary())

    restored.restore(index.snapshot())

    postings, sessions = lists(index)
    held = {(session, item, ts) for session, entries in sessions.items() for item, ts in entries}
    assert {(session, item, ts) for item, entries in postings.items() for session, ts in entries} == held
    assert sum(map(len, postings.values())) == sum(map(len, sessions.values())) <= slots * SMALL.session_items
    assert lists(restored) == (postings, sessions)
    assert ask(restored, recent) == ask(index, recent)


def test_a_thousand_long_sessions_leave_no_more_postings_than_the_open_ones_have_items() -> None:
    chosen, vocabulary, random = NeighbourSettings(sessions=100), Vocabulary(), np.random.default_rng(3)
    index, restored = NeighbourIndex(chosen, vocabulary), NeighbourIndex(chosen, Vocabulary())
    sessions = np.repeat(np.arange(1, 1_001), 40).astype(np.uint64)
    items = np.concatenate([random.permutation(500)[:40] for _ in range(1_000)])

    index.update(sessions, vocabulary.numbers(f"item {n}" for n in items), np.arange(40_000, dtype=np.float64))
    restored.restore(index.snapshot())

    assert sum(map(len, lists(index)[0].values())) == 100 * chosen.session_items
    assert lists(restored) == lists(index)


@given(events, st.sets(st.sampled_from([*SESSIONS, 99])))
def test_what_forgets_sessions_is_what_never_learned_them(log: list[Event], gone: set[int]) -> None:
    index, others = build(log), [event for event in log if event[0] not in gone]
    assert index.forget(np.array(sorted(gone), np.uint64)) == len(gone & {session for session, _, _ in log})
    assert content(index) == content(build(others))
    postings, _ = lists(index)
    assert {name: each for name, each in postings.items() if each} == {
        name: each for name, each in lists(build(others))[0].items() if each
    }
    assert index.forget(np.array(sorted(gone), np.uint64)) == 0
    again = [event for event in log if event[0] in gone]
    if again:
        sessions, items, ts = zip(*again, strict=True)
        vocabulary = Vocabulary()
        vocabulary.numbers(read_names(index))
        index.update(np.array(sessions, np.uint64), vocabulary.numbers(items), np.array(ts, np.float64))
        assert content(index) == content(build(log))

"""Check laws of the neighbour index: only the set of events counts, and its formula holds."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.neighbours.arrays import CLOSED, OPENED, Lists
from models.neighbours.index import NeighbourIndex, NeighbourSettings, Queries
from models.vocabulary import Vocabulary

# Small enough that nearly every example reaches every limit.
SMALL = NeighbourSettings(neighbours=3, postings=4, session_items=3, last_items=3, revisit_weight=1.5)
NAMES = [f"item {n}" for n in range(7)]
SESSIONS = [3, 2**63 + 5, 2**64 - 1, 17, 1024]

Event = tuple[int, str, float]
event = st.tuples(st.sampled_from(SESSIONS), st.sampled_from(NAMES), st.integers(0, 6).map(float))
# By itself, hypothesis draws about five events, and no list ever overflows.
events = st.one_of(st.lists(event, max_size=10), st.lists(event, min_size=30, max_size=60))
recent_items = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)
Ranking = list[tuple[str, float]]
Postings = dict[str, list[tuple[int, float]]]
Sessions = dict[int, list[tuple[str, float]]]


def build(log: list[Event], chosen: NeighbourSettings = SMALL, batch: int = 1_000) -> NeighbourIndex:
    vocabulary = Vocabulary()
    index = NeighbourIndex(chosen, vocabulary)
    for start in range(0, len(log), batch):
        sessions, items, ts = zip(*log[start : start + batch], strict=True)
        index.update(np.array(sessions, np.uint64), vocabulary.numbers(items), np.array(ts, np.float64))
    return index


def content(index: NeighbourIndex) -> set[Event]:
    columns = index.snapshot()
    names = read_names(index)
    rows = zip(columns["sessions"].tolist(), columns["items"].tolist(), columns["ts"].tolist(), strict=True)
    return {(session, names[item], ts) for session, item, ts in rows}


def read_names(index: NeighbourIndex) -> list[str]:
    columns = index.snapshot()
    text, starts = columns["names"].tobytes(), columns["name_starts"].tolist()
    return [text[a:b].decode() for a, b in pairwise(starts)]


def lists(index: NeighbourIndex) -> tuple[Postings, Sessions]:
    """Return all postings by item, and all sessions by hash, each list as it is in memory."""
    held, names = index.copy(index.room()), read_names(index)
    mask = len(held.postings.keys) - 1
    keys = held.postings.keys.tolist()
    postings = {
        name: [(keys[session & mask], ts) for session, ts in read_list(held.postings, item)]
        for item, name in enumerate(names)
    }
    opened = range(held.counters[CLOSED], held.counters[OPENED])
    sessions = {
        keys[session & mask]: [(names[item], ts) for item, ts in read_list(held.sessions, session & mask)]
        for session in opened
    }
    return postings, sessions


def read_list(lists: Lists, owner: int) -> list[tuple[int, float]]:
    base, head, size, room = lists.owners[owner].tolist()
    return [lists.cells[base + (head + i) % room].tolist() for i in range(size)]


def ask(index: NeighbourIndex, recent: list[str], own: int = 0, n: int = 4) -> Ranking:
    names = read_names(index)
    numbers = [names.index(item) if item in names else 1_000_000 for item in recent]
    items, scores = index.predict_many(Queries.build([(numbers, numbers[:1], own)]), np.zeros(0, np.float32), n)
    pairs = zip(items[0].tolist(), scores[0].tolist(), strict=True)
    return [(names[item], score) for item, score in pairs if item >= 0]


@dataclass
class Reference:
    """Computes the formula of `models.neighbours.index` with dictionaries over all events."""

    log: list[Event]

    def __post_init__(self) -> None:
        last: dict[tuple[int, str], float] = {}
        for session, item, ts in self.log:
            last[session, item] = max(ts, last.get((session, item), ts))
        self.sessions = {
            session: [item for _, _, item in sorted((ts, fnv(i), i) for (s, i), ts in last.items() if s == session)][
                -SMALL.session_items :
            ]
            for session in {session for session, _, _ in self.log}
        }
        self.postings = {
            item: sorted((ts, s) for (s, i), ts in last.items() if i == item in self.sessions[s])[-SMALL.postings :]
            for item in {item for _, item, _ in self.log}
        }

    def rarity(self, item: str) -> float:
        idf = np.log1p(len(self.sessions) / np.arange(1.0, SMALL.postings + 1)) / np.log1p(len(self.sessions))
        return float((idf**SMALL.rarity_power)[max(len(self.postings[item]) - 1, 0)])

    def nearest(self, recent: list[str], own: int) -> list[int]:
        found: dict[int, tuple[float, float, int]] = {}
        for place, item in enumerate(recent[: SMALL.last_items]):
            for ts, session in self.postings.get(item, []):
                similarity, latest, _ = found.get(session, (0.0, ts, session))
                similarity += SMALL.position_decay**place * self.rarity(item)
                found[session] = (similarity, max(ts, latest), session)
        found.pop(own, None)
        return sorted(found, key=lambda session: found[session], reverse=True)[: SMALL.neighbours]

    def scores(self, recent: list[str], own: int) -> dict[str, float]:
        scores: dict[str, float] = {}
        for session in self.nearest(recent, own):
            items = self.sessions[session]
            for place, match in enumerate(recent[: SMALL.last_items]):
                for item in items if match in items else []:
                    share = SMALL.position_decay**place * self.rarity(match) * self.rarity(item)
                    away = abs(items.index(item) - items.index(match))
                    near = SMALL.far_share + (1 - SMALL.far_share) * np.exp(-away / SMALL.vote_distance)
                    scores[item] = scores.get(item, 0.0) + share * (near if away else SMALL.revisit_weight)
        scores.pop(recent[0], None)
        return scores


def fnv(name: str) -> int:
    key = 14695981039346656037
    for byte in name.encode():
        key = (key ^ byte) * 1099511628211 % 2**64
    return key


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

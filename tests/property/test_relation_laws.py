"""Check laws of relations between items: weights are those of the formula, and order decides."""

from collections import defaultdict

import numpy as np
import pytest
from builders import DAY, NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ranker.relations import WINDOW, ItemRelations

HALF_LIFE_DAYS = 5.0
event = st.tuples(st.integers(1, 3), st.integers(0, 6), st.integers(0, 40))  # session, item, day
events = st.lists(event, max_size=40).map(lambda log: sorted(log, key=lambda each: each[2]))
Event = tuple[int, int, int]


def build(log: list[Event], batch: int = 1000) -> ItemRelations:
    relations = ItemRelations(HALF_LIFE_DAYS)
    for first in range(0, len(log), batch):
        part = log[first : first + batch]
        items = np.array([item for _, item, _ in part], np.int32)
        before = relations.follow(np.array([session for session, _, _ in part], np.uint64), items)
        relations.learn(items, np.array([NOW + day * DAY for _, _, day in part]), before)
    return relations


def weights(relations: ItemRelations, now: float) -> dict[tuple[int, int], list[float]]:
    """All pairs with their weights as of `now`, in the order forward, next, backward, together."""
    arrays, found = relations.arrays, {}
    for item in range(len(arrays.base)):
        scale = np.exp(-(now - arrays.since[item]) * relations.rate)
        for cell in range(arrays.base[item], arrays.base[item] + arrays.size[item]):
            found[item, int(arrays.items[cell])] = (arrays.weights[cell] * scale).tolist()
    return found


def naive(log: list[Event], now: float) -> dict[tuple[int, int], list[float]]:
    found: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0] * 4)
    trails: dict[int, list[int]] = defaultdict(list)
    for session, item, day in log:
        weight = 0.5 ** ((now - NOW) / DAY / HALF_LIFE_DAYS - day / HALF_LIFE_DAYS)
        for distance, other in enumerate(reversed(trails[session][-WINDOW:]), start=1):
            if other != item:
                ahead, back = found[other, item], found[item, other]
                ahead[0] += weight / distance
                ahead[1] += weight * (distance == 1)
                back[2] += weight / distance
                ahead[3] += weight
                back[3] += weight
        trails[session].append(item)
    return found


@given(events)
@settings(max_examples=150)
def test_weights_are_those_of_the_formula(log: list[Event]) -> None:
    now = NOW + 40 * DAY
    found, expected = weights(build(log), now), naive(log, now)
    assert found.keys() == expected.keys()
    for pair, each in found.items():
        assert each == pytest.approx(expected[pair], rel=1e-4, abs=1e-9)


@given(events, st.integers(1, 7))
@settings(max_examples=100)
def test_batches_change_nothing(log: list[Event], batch: int) -> None:
    one, other = build(log), build(log, batch)
    now = NOW + 40 * DAY
    assert weights(one, now) == weights(other, now)


@given(events, st.integers(0, 40))
@settings(max_examples=50)
def test_relations_go_on_from_a_snapshot_as_if_nothing_had_happened(log: list[Event], cut: int) -> None:
    restored = ItemRelations(HALF_LIFE_DAYS)
    restored.restore(build(log[:cut]).snapshot())
    items = np.array([item for _, item, _ in log[cut:]], np.int32)
    before = restored.follow(np.array([session for session, _, _ in log[cut:]], np.uint64), items)
    restored.learn(items, np.array([NOW + day * DAY for _, _, day in log[cut:]]), before)
    now, whole = NOW + 41 * DAY, build(log)
    found, expected = weights(restored, now), weights(whole, now)
    assert found.keys() == expected.keys()
    for pair, each in expected.items():
        assert found[pair] == pytest.approx(each, rel=1e-5)
    assert restored.newest == whole.newest

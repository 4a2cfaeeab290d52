"""What must hold for what is learned of items: it follows from the events, not from how they were
cut or mixed.
"""

import numpy as np
import pytest
from builders import DAY, NOW
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import Kind
from models.items.facts import HALF_LIFE_SECONDS, NO_BRAND, NO_LOG_PRICE, NO_PRICE, ItemFacts

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
    assert restored.log_price[[2_000, 1]].tolist() == pytest.approx([np.log(9.5), NO_LOG_PRICE])
    assert np.array_equal(restored.log_price, facts.log_price)
    assert np.array_equal(restored.counts, facts.counts)
    assert np.array_equal(restored.first_seen, facts.first_seen)

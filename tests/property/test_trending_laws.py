"""Check laws of popularity: it depends on what happened, not on when it was read."""

from random import Random

import numpy as np
import pytest
from builders import DAY, NOW
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import Catalogue
from models.trending import Trending, TrendingSettings
from models.vocabulary import Vocabulary

SETTINGS = TrendingSettings(half_life_hours=24)
AUTOMATIC = TrendingSettings()
NAMES = ["a", "b", "c", "d", "e"]

Event = tuple[str, float, float]
# Enough days for shares down to one millionth; smaller shares only keep the order.
events = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.floats(0, 12).map(lambda days: NOW - DAY * days),
        st.sampled_from([1.0, 2.0, 5.0]),
    ),
    max_size=40,
)


# Many events at once, on a few days of three decades, so that the half-life and its choice matter.
bursts = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([0.0, 0.5, 1.0, 3.0, 40.0, 10_000.0]).map(lambda days: NOW - DAY * days),
        st.sampled_from([1.0, 2.0, 5.0]),
        st.sampled_from([1, 30, 1_000]),
    ),
    max_size=12,
).map(lambda drawn: [(name, ts + at, weight) for name, ts, weight, count in drawn for at in range(count)])


def shares(log: list[Event], batch: int = 1_000, settings: TrendingSettings = SETTINGS) -> dict[str, float]:
    items = Vocabulary()
    trending = Trending(settings)
    for start in range(0, len(log), batch):
        names, ts, weights = zip(*log[start : start + batch], strict=True)
        trending.update(items.numbers(names), np.array(ts), np.array(weights))
    lists = trending.lists(Catalogue(items), items.names, len(NAMES))
    return {each.item_id: -each.minus_share for each in lists.overall}


def formula(log: list[Event]) -> dict[str, float]:
    """Compute forward decay by its definition: each item's sum of weight x 2^(-age / half-life).

    Returns each sum divided by the largest.
    """
    sums: dict[str, float] = {}
    for name, ts, weight in log:
        age_hours = (NOW - ts) / 3600
        sums[name] = sums.get(name, 0.0) + weight * 2.0 ** (-age_hours / SETTINGS.half_life_hours)
    return {name: total / max(sums.values()) for name, total in sums.items()}


@given(events)
def test_popularity_is_the_formula(log: list[Event]) -> None:
    assert shares(log) == pytest.approx(formula(log), rel=1e-7)


@given(events, st.randoms(use_true_random=False), st.integers(1, 9))
def test_neither_order_nor_batches_change_popularity(log: list[Event], random: Random, batch: int) -> None:
    shuffled = list(log)
    random.shuffle(shuffled)
    assert shares(shuffled, batch) == pytest.approx(shares(log), abs=1e-9)


@given(bursts, st.randoms(use_true_random=False), st.integers(1, 2_000))
def test_neither_order_nor_batches_change_the_half_life_that_is_chosen(
    log: list[Event], random: Random, batch: int
) -> None:
    shuffled = list(log)
    random.shuffle(shuffled)
    once, again = shares(log, settings=AUTOMATIC), shares(shuffled, batch, AUTOMATIC)
    assert list(again) == list(once)
    assert again == pytest.approx(once, rel=1e-6)


@given(events, st.sampled_from(NAMES), st.floats(0, 40).map(lambda years: NOW + 365 * DAY * years))
def test_an_event_however_late_leaves_the_other_items_in_their_order(log: list[Event], name: str, ts: float) -> None:
    def others(listed: dict[str, float]) -> list[str]:
        return [each for each in listed if each != name]

    after = shares([*log, (name, ts, 1.0)])
    assert others(after) == others(shares(log))
    assert name in after


@given(events)
def test_lists_are_ordered_by_popularity_and_then_by_item_id(log: list[Event]) -> None:
    listed = list(shares(log).items())
    assert listed == sorted(listed, key=lambda pair: (-pair[1], pair[0]))

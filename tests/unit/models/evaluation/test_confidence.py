"""Intervals of figures and of differences, as wide as sessions vary, and a test of two runs."""

import math

import numpy as np
import pytest

from models.evaluation.confidence import gain, interval, mcnemar


def test_independent_predictions_have_the_interval_of_the_textbook() -> None:
    random = np.random.default_rng(1)
    one, other = random.random(400), random.random(400)

    found = gain(one, other, np.arange(400))

    error = (one - other).std(ddof=1) / math.sqrt(400)
    assert found.mean == pytest.approx((one - other).mean())
    assert found.high - found.mean == pytest.approx(1.959964 * error, rel=1e-3)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_sessions_that_repeat_one_prediction_make_nothing_surer() -> None:
    random = np.random.default_rng(1)
    one, other = random.random(100), random.random(100)

    alone = gain(one, other, np.arange(100))
    repeated = gain(np.repeat(one, 9), np.repeat(other, 9), np.repeat(np.arange(100), 9))

    assert repeated == pytest.approx(alone)


def test_one_session_says_nothing_of_others() -> None:
    assert gain(np.ones(3), np.zeros(3), np.zeros(3, np.int64)) == (1.0, -math.inf, math.inf)


def test_without_predictions_there_is_no_difference() -> None:
    assert gain(np.zeros(0), np.zeros(0), np.zeros(0, np.int64)) == (0.0, -math.inf, math.inf)


def test_the_interval_of_a_mean_is_about_that_of_the_textbook() -> None:
    random = np.random.default_rng(1)
    hits = (random.random(500) < 0.3).astype(np.float64)

    found = interval(hits, np.arange(500), random)

    error = 1.96 * hits.std() / math.sqrt(500)
    assert found.mean == pytest.approx(hits.mean())
    assert found.high - found.mean == pytest.approx(error, rel=0.15)
    assert found.mean - found.low == pytest.approx(error, rel=0.15)


def test_the_interval_is_wider_where_predictions_of_a_session_are_alike() -> None:
    random = np.random.default_rng(1)
    hits = np.repeat((random.random(50) < 0.3).astype(np.float64), 10)

    apart = interval(hits, np.arange(500), np.random.default_rng(0))
    together = interval(hits, np.repeat(np.arange(50), 10), np.random.default_rng(0))

    assert together.high - together.low > 2 * (apart.high - apart.low)


@pytest.mark.parametrize(("only_this", "only_other"), [(9, 1), (40, 20)])
def test_a_difference_of_two_runs_is_as_probable_as_the_binomial_says(only_this: int, only_other: int) -> None:
    this = np.array([True] * only_this + [False] * only_other + [True] * 30)
    other = np.array([False] * only_this + [True] * only_other + [True] * 30)
    differing = only_this + only_other

    found = mcnemar(this, other)

    tail = sum(math.comb(differing, k) for k in range(only_other + 1)) / 2**differing
    assert (found.pairs, found.only_this, found.only_other) == (differing + 30, only_this, only_other)
    assert found.p_value == pytest.approx(2 * tail, rel=0.1)


def test_two_equal_runs_do_not_differ() -> None:
    assert mcnemar(np.ones(100, np.bool_), np.ones(100, np.bool_)).p_value == 1.0

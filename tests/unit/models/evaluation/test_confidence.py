"""Intervals of differences: as wide as sessions vary."""

import math

import numpy as np
import pytest

from models.evaluation.confidence import gain


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

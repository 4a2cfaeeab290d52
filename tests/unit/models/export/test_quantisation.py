"""Compute integer layers: near the real layer, and independent of other rows."""

import numpy as np
import pytest
from numpy.typing import NDArray
from saturation import SHORT, furthest_sums

from models.export.quantisation import fit_linear, in_pairs, quantise_rows, reaches_too_far, relative_error, round_again

Floats = NDArray[np.float32]


def layer(rows: int = 3_000, inputs: int = 96, outputs: int = 48) -> tuple[Floats, Floats]:
    """Return weights, and correlated inputs, two with large values as after a layer norm."""
    random = np.random.default_rng(5)
    mixing = np.eye(inputs) + 0.2 * random.normal(size=(inputs, inputs))
    x = random.normal(size=(rows, inputs)) @ mixing
    x[:, 3] *= 15
    x[:, 40] = 6 * x[:, 40] + 20
    return x.astype(np.float32), random.normal(size=(inputs, outputs)).astype(np.float32)


def plain_rounding(x: Floats, weights: Floats) -> Floats:
    low, high = x.min(), x.max()
    unit = (high - low) / 255
    zero = np.rint(-low / unit)
    steps = (np.rint(x / unit) + zero).clip(0, 255) - zero
    integers, scales = quantise_rows(weights.T)
    return np.asarray(steps * unit @ (integers * scales).T, np.float32)


def test_the_integer_layer_is_near_the_real_one_on_rows_it_never_saw() -> None:
    x, weights = layer()
    fit = fit_linear(x[:2_000], weights, extra_lanes=8)
    error = relative_error(fit.apply(x[2_000:]), x[2_000:] @ weights)
    assert error < 5e-4
    assert error < relative_error(plain_rounding(x[2_000:], weights), x[2_000:] @ weights) / 5


def test_lanes_for_far_channels_bring_it_nearer() -> None:
    x, weights = layer()
    without, with_lanes = (fit_linear(x, weights, lanes) for lanes in (0, 8))
    wanted = x @ weights
    assert relative_error(with_lanes.apply(x), wanted) < 0.8 * relative_error(without.apply(x), wanted)
    lanes = np.bincount(with_lanes.sources)
    assert lanes.sum() == 96 + 8
    assert set(np.flatnonzero(lanes > 1)) <= {3, 40}


def test_a_row_gives_the_same_alone_as_among_others() -> None:
    x, weights = layer()
    fit = fit_linear(x, weights)
    alone = np.concatenate([fit.apply(x[row : row + 1]) for row in range(50)])
    assert alone == pytest.approx(fit.apply(x)[:50], rel=1e-4, abs=1e-3)


def test_chosen_columns_are_those_of_the_whole() -> None:
    x, weights = layer()
    fit = fit_linear(x, weights)
    numbers = np.array([7, 7, 0])
    assert np.array_equal(fit.columns(numbers).apply(x), fit.apply(x)[:, numbers])


def test_outputs_are_divided_each_by_its_own_number() -> None:
    x, weights = layer()
    fit = fit_linear(x, weights)
    divisors = np.linspace(0.5, 8, weights.shape[1]).astype(np.float32)
    assert fit.divided(divisors).apply(x) == pytest.approx(fit.apply(x) / divisors, rel=1e-4, abs=1e-3)


def test_everything_fits_into_eight_bits() -> None:
    x, weights = layer()
    fit = fit_linear(x, weights, extra_lanes=4)
    assert fit.weights.dtype == np.int8
    assert fit.weights.min() >= -127
    assert 0 <= fit.zero_point <= 255


def test_no_pair_of_rows_reaches_further_than_sixteen_bits() -> None:
    x, weights = layer(inputs=95)
    weights[6:8] = 3 * np.abs(weights[6:8])
    for fit in (fit_linear(x, weights), fit_linear(x, weights, 8), fit_linear(x, weights, 8, in_pairs)):
        least, greatest = furthest_sums(fit.weights)
        assert SHORT.min <= least < -0.9 * SHORT.max
        assert 0.9 * SHORT.max < greatest <= SHORT.max
        assert not reaches_too_far(fit.weights)


@pytest.mark.parametrize(
    ("pair", "wrong"), [((127, 1), False), ((127, 2), True), ((-64, -65), True), ((127, -127), False)]
)
def test_a_pair_that_reaches_too_far_is_known(pair: tuple[int, int], wrong: bool) -> None:
    weights = np.zeros((6, 3), np.int8)
    weights[2:4, 1] = pair
    assert reaches_too_far(weights) is wrong
    below, above = furthest_sums(weights)
    assert (below < SHORT.min or above > SHORT.max) is wrong


def test_rows_that_reach_far_together_are_kept_apart_where_their_order_is_free() -> None:
    x, weights = layer()
    weights[10:14] *= 6
    as_given, paired = fit_linear(x, weights), fit_linear(x, weights, arrange=in_pairs)
    assert sorted(paired.sources) == list(range(96))
    ratio = paired.weight_scales / as_given.weight_scales
    assert ratio.max() < 1.01
    assert np.quantile(ratio, 0.25) < 0.85
    wanted = x @ weights
    assert relative_error(paired.apply(x), wanted) < 0.9 * relative_error(as_given.apply(x), wanted)


def test_weights_rounded_again_keep_the_limit_and_the_outputs() -> None:
    random = np.random.default_rng(3)
    steps = (random.normal(size=(2_000, 65)) @ random.normal(size=(65, 65)) * 4).clip(-120, 120).round()
    steps = steps.astype(np.float32)
    weights = random.integers(-127, 128, (65, 40)).astype(np.int8)
    scales = random.uniform(0.001, 0.01, 40).astype(np.float32)
    assert reaches_too_far(weights)
    rounded, new_scales, bias = round_again(steps, weights, scales)
    assert not reaches_too_far(rounded)
    assert relative_error(steps @ rounded * new_scales + bias, steps @ weights * scales) < 1e-3


def test_a_channel_that_is_always_zero_does_no_harm() -> None:
    x, weights = layer()
    x[:, 10] = 0
    assert relative_error(fit_linear(x, weights, extra_lanes=4).apply(x), x @ weights) < 1e-3


def test_rows_of_a_table_keep_their_own_scale() -> None:
    table = np.array([[1000.0, -500.0], [0.001, 0.0005], [0.0, 0.0]], np.float32)
    integers, scales = quantise_rows(table)
    assert integers * scales == pytest.approx(table, rel=0.01)

"""Compute integer layers: near the real layer, and independent of other rows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.export.quantisation import fit_linear, quantise_rows, relative_error

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
    assert set(with_lanes.sources[96:]) <= {3, 40}


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


def test_a_channel_that_is_always_zero_does_no_harm() -> None:
    x, weights = layer()
    x[:, 10] = 0
    assert relative_error(fit_linear(x, weights, extra_lanes=4).apply(x), x @ weights) < 1e-3


def test_rows_of_a_table_keep_their_own_scale() -> None:
    table = np.array([[1000.0, -500.0], [0.001, 0.0005], [0.0, 0.0]], np.float32)
    integers, scales = quantise_rows(table)
    assert integers * scales == pytest.approx(table, rel=0.01)

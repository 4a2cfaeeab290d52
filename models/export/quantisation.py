"""Linear layers in 8-bit integers with scales fixed beforehand, so that no vector depends on its
batch.

Fixed scales usually cost accuracy; four known remedies win it back: the channels that reach
furthest are spread over several lanes (Zhao et al. 2019, outlier channel splitting), channels are
smoothed before rounding (Xiao et al. 2023, SmoothQuant), weights are rounded one after the other so
that each makes up for the errors before it (Frantar et al. 2023, GPTQ), and the mean error goes
into the bias (Nagel et al. 2019).

x86 processors without VNNI multiply with `vpmaddubsw`: u0 * w0 + u1 * w1 of two neighbouring rows
in signed 16 bits, cut off at -32768 and 32767, and only then added up in 32 bits. Steps are at most
255, so nothing is ever cut off if in each such pair the weights above zero are at most 128 together
(255 * 128 = 32640), and those below at least -128. A column's scale is the least with which its
pairs keep to that; where lanes may lie in any order, those that reach far are paired with others,
so that the scale grows little; and a rounding that goes beyond is left to the rows behind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Arrange = Callable[[Floats], NDArray[np.intp]]

LEVELS = 255
WEIGHT_LIMIT = 127
# How much the weights of one sign may be together in a pair of rows 2i, 2i + 1.
PAIR_LIMIT = 128
SMOOTHINGS = (0.0, 0.3, 0.45, 0.6, 0.75, 0.9)
SEARCH_ROWS = 3_000
DAMPING = 1e-3
BLOCK = 128
FURTHEST = 16
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class QuantisedLinear:
    """A linear layer of k lanes and n outputs in integers; lane i carries the input `sources[i]`.

    q = clip(round(x[sources] / input_scales) + zero_point, 0, 255), unsigned 8 bits
    y = (q - zero_point) @ weights * weight_scales + bias
    """

    sources: NDArray[np.intp]
    input_scales: Floats
    zero_point: int
    weights: NDArray[np.int8]
    weight_scales: Floats
    bias: Floats

    def columns(self, numbers: NDArray[np.intp]) -> "QuantisedLinear":
        """The same layer with the given outputs only."""
        weights, scales, bias = self.weights[:, numbers], self.weight_scales[numbers], self.bias[numbers]
        return replace(self, weights=weights, weight_scales=scales, bias=bias)

    def divided(self, divisors: Floats) -> "QuantisedLinear":
        """The same layer with each output divided by a number of its own, (n,)."""
        return replace(self, weight_scales=self.weight_scales / divisors, bias=self.bias / divisors)

    def apply(self, x: Floats) -> Floats:
        """What the integer layer makes of `x` (rows, inputs), shape (rows, n)."""
        steps = _steps(x[:, self.sources], self.input_scales, self.zero_point)
        return steps @ self.weights * self.weight_scales + self.bias


def in_order(weights: Floats) -> NDArray[np.intp]:
    """The lanes of (k, n) weights as they are: every input once, and behind them what was added."""
    return np.arange(len(weights))


def in_pairs(weights: Floats) -> NDArray[np.intp]:
    """An order of the lanes of (k, n) weights in which those of a pair reach far together in few
    columns.

    The lane that reaches furthest takes the partner with which it reaches least, and so on.
    Sixteenth powers, because a column's scale hangs on its furthest pair alone.
    """
    reach = weights / np.abs(weights).max(0).clip(TINY)
    left = np.argsort(-(reach**4).mean(1))
    order: list[np.intp] = []
    while len(left) > 1:
        first, left = left[0], left[1:]
        above = reach[first].clip(min=0) + reach[left].clip(min=0)
        below = reach[first].clip(max=0) + reach[left].clip(max=0)
        partner = int((np.maximum(above, -below) ** FURTHEST).sum(1).argmin())
        order += [first, left[partner]]
        left = np.delete(left, partner)
    return np.array([*order, *left])


def fit_linear(
    x: Floats,
    weights: Floats,
    extra_lanes: int = 0,
    arrange: Arrange = in_order,
    smoothings: Sequence[float] = SMOOTHINGS,
) -> QuantisedLinear:
    """The integer layer nearest to `x @ weights` on the rows of `x`, its lanes in the order that
    `arrange` gives.

    `x` is (rows, inputs), what the layer is given for typical texts; `weights` is (inputs, n). Each
    of `smoothings` in [0, 1] is tried: 0 gives all lanes one scale, 1 gives every lane its own
    range.
    """
    wanted = x @ weights
    sources, shares = _lanes(np.abs(x).max(0), extra_lanes)
    x, weights = (x / shares)[:, sources], weights[sources]
    sample, sample_wanted = x[:SEARCH_ROWS], wanted[:SEARCH_ROWS]
    lows, highs = x.min(0), x.max(0)
    candidates = [_input_scales(lows, highs, smoothing) for smoothing in smoothings]
    scales, zero_point = min(
        candidates, key=lambda each: relative_error(_rounded(sample, weights, *each), sample_wanted)
    )
    order = arrange(scales[:, None] * weights)
    sources, scales, x, weights = sources[order], scales[order], x[:, order], weights[order]
    rounded = _round_in_turn(_steps(x, scales, zero_point), wanted, scales[:, None] * weights)
    return QuantisedLinear(sources, (scales * shares[sources]).astype(np.float32), zero_point, *rounded)


def round_again(steps: Floats, weights: NDArray[np.int8], scales: Floats) -> tuple[NDArray[np.int8], Floats, Floats]:
    """Weights (k, n) whose pairs keep the limit, their columns' scales and what to add to the bias,
    (n,).

    They stand for other integer weights and scales: `steps` (rows, k), without the zero point, are
    what typical texts give, and the outputs stay near `steps @ weights * scales`.
    """
    return _round_in_turn(steps, steps @ weights * scales, weights * scales)


def reaches_too_far(weights: NDArray[np.int8]) -> bool:
    """Whether some pair of rows of (k, n) weights can make a sum that 16 bits do not hold."""
    return bool(_pair_reach(weights.astype(np.int64)).max() > PAIR_LIMIT)


def relative_error(given: Floats, wanted: Floats) -> float:
    """Mean squared error of each column in units of its variance, averaged over the columns."""
    return float((((given - wanted) ** 2).mean(0) / (wanted.var(0) + TINY)).mean())


def quantise_rows(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """A table (rows, dim) in 8-bit integers, and each row's scale, shape (rows, 1)."""
    scales = (np.abs(table).max(1, keepdims=True) / WEIGHT_LIMIT).clip(TINY).astype(np.float32)
    return np.rint(table / scales).astype(np.int8), scales


def _lanes(reach: Floats, extra: int) -> tuple[NDArray[np.intp], Floats]:
    """The input of each lane, every input once first; and how many lanes each input has."""
    shares = np.ones(len(reach), np.float32)
    added = []
    for _ in range(extra):
        furthest = int(np.argmax(reach / shares))
        shares[furthest] += 1
        added.append(furthest)
    return np.concatenate([np.arange(len(reach)), np.array(added, np.intp)]), shares


def _input_scales(lows: Floats, highs: Floats, smoothing: float) -> tuple[Floats, int]:
    """Each lane's scale and the common zero point, from the least and the greatest value of each
    lane, (lanes,).
    """
    relative = np.maximum(highs, -lows).clip(TINY) ** smoothing
    low, high = min(0.0, float((lows / relative).min())), max(0.0, float((highs / relative).max()))
    unit = max((high - low) / LEVELS, TINY)
    return (relative * unit).astype(np.float32), round(-low / unit)


def _steps(x: Floats, scales: Floats, zero_point: int) -> Floats:
    steps: Floats = (np.rint(x / scales) + zero_point).clip(0, LEVELS) - zero_point
    return steps


def _rounded(x: Floats, weights: Floats, scales: Floats, zero_point: int) -> Floats:
    weights = scales[:, None] * weights
    weight_scales = _column_scales(weights)
    given: Floats = _steps(x, scales, zero_point) @ np.rint(weights / weight_scales) * weight_scales
    return given


def _column_scales(weights: NDArray[Any]) -> NDArray[Any]:
    """The least scale of each column of (k, n) weights with which every weight and every pair keeps
    its limit, (n,).
    """
    single = np.abs(weights).max(0)
    scales: NDArray[Any] = np.maximum(single / WEIGHT_LIMIT, _pair_reach(weights) / PAIR_LIMIT).clip(TINY)
    return scales


def _pair_reach(weights: NDArray[Any]) -> NDArray[Any]:
    """The greatest sum, of either sign, of weights of one sign in a pair of rows, for each column,
    (n,).
    """
    even = np.concatenate([weights, np.zeros_like(weights[: len(weights) % 2])])
    pairs = even.reshape(-1, 2, weights.shape[1])
    reach: NDArray[Any] = np.maximum(pairs.clip(min=0).sum(1).max(0), -pairs.clip(max=0).sum(1).min(0))
    return reach


def _round_in_turn(steps: Floats, wanted: Floats, weights: Floats) -> tuple[NDArray[np.int8], Floats, Floats]:
    """Integer weights (k, n), their columns' scales and bias: `steps @ integers * scales + bias` is
    near `wanted`.
    """
    second_moments = (steps.T @ steps).astype(np.float64) / len(steps)
    ridge = DAMPING * np.diag(second_moments).mean() + TINY
    inverse = np.linalg.inv(second_moments + ridge * np.eye(len(second_moments)))
    # Least squares first: the weights may also make up for what rounding did to the inputs.
    residual = wanted - steps @ weights
    left = weights + inverse @ ((steps.T @ residual).astype(np.float64) / len(steps))
    scales = _column_scales(left)
    integers = _spread_errors(left, scales, np.linalg.cholesky(inverse).T)
    scales = scales.astype(np.float32)
    return integers, scales, (wanted - steps @ integers * scales).mean(0).astype(np.float32)


def _spread_errors(
    left: NDArray[np.float64], scales: NDArray[np.float64], factor: NDArray[np.float64]
) -> NDArray[np.int8]:
    """GPTQ: round row by row; `factor` is the upper Cholesky factor of the inverse second moments
    (k, k).
    """
    integers = np.empty(left.shape, np.int8)
    for start in range(0, len(left), BLOCK):
        stop = min(start + BLOCK, len(left))
        errors = np.empty((stop - start, left.shape[1]))
        for row in range(start, stop):
            least, most = _room(integers, row)
            rounded = np.rint(left[row] / scales).clip(least, most)
            integers[row] = rounded
            errors[row - start] = (left[row] - rounded * scales) / factor[row, row]
            left[row + 1 : stop] -= np.outer(factor[row, row + 1 : stop], errors[row - start])
        left[stop:] -= factor[start:stop, stop:].T @ errors
    return integers


def _room(integers: NDArray[np.int8], row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest weight of a row, (n,), that the one before it in its pair leaves
    room for.
    """
    before = integers[row - 1].astype(np.int64) if row % 2 else np.zeros(integers.shape[1], np.int64)
    least = np.maximum(-PAIR_LIMIT - before.clip(max=0), -WEIGHT_LIMIT)
    most = np.minimum(PAIR_LIMIT - before.clip(min=0), WEIGHT_LIMIT)
    return least, most

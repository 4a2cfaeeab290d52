"""Linear layers in 8-bit integers with scales fixed beforehand, so that no vector depends on its batch.

Fixed scales usually cost accuracy; four known remedies win it back: the channels that reach furthest are
spread over several lanes (Zhao et al. 2019, outlier channel splitting), channels are smoothed before rounding
(Xiao et al. 2023, SmoothQuant), weights are rounded one after the other so that each makes up for the errors
before it (Frantar et al. 2023, GPTQ), and the mean error goes into the bias (Nagel et al. 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LEVELS = 255
WEIGHT_LIMIT = 127
SMOOTHINGS = (0.0, 0.3, 0.45, 0.6, 0.75, 0.9)
SEARCH_ROWS = 3_000
DAMPING = 1e-3
BLOCK = 128
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


def fit_linear(
    x: Floats, weights: Floats, extra_lanes: int = 0, smoothings: Sequence[float] = SMOOTHINGS
) -> QuantisedLinear:
    """The integer layer nearest to `x @ weights` on the rows of `x`.

    `x` is (rows, inputs), what the layer is given for typical texts; `weights` is (inputs, n). Each of
    `smoothings` in [0, 1] is tried: 0 gives all lanes one scale, 1 gives every lane its own range.
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
    steps = _steps(x, scales, zero_point)
    integers, weight_scales = _round_in_turn(steps, wanted, scales[:, None] * weights)
    bias = (wanted - steps @ integers * weight_scales).mean(0).astype(np.float32)
    return QuantisedLinear(
        sources, (scales * shares[sources]).astype(np.float32), zero_point, integers, weight_scales, bias
    )


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
    """Each lane's scale and the common zero point, from the least and the greatest value of each lane, (lanes,)."""
    relative = np.maximum(highs, -lows).clip(TINY) ** smoothing
    low, high = min(0.0, float((lows / relative).min())), max(0.0, float((highs / relative).max()))
    unit = max((high - low) / LEVELS, TINY)
    return (relative * unit).astype(np.float32), round(-low / unit)


def _steps(x: Floats, scales: Floats, zero_point: int) -> Floats:
    steps: Floats = (np.rint(x / scales) + zero_point).clip(0, LEVELS) - zero_point
    return steps


def _rounded(x: Floats, weights: Floats, scales: Floats, zero_point: int) -> Floats:
    integers, weight_scales = quantise_rows((scales[:, None] * weights).T)
    given: Floats = _steps(x, scales, zero_point) @ integers.T * weight_scales[:, 0]
    return given


def _round_in_turn(steps: Floats, wanted: Floats, weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Integer weights (k, n) and their columns' scales: `steps @ integers * scales` is near `wanted`."""
    second_moments = (steps.T @ steps).astype(np.float64) / len(steps)
    ridge = DAMPING * np.diag(second_moments).mean() + TINY
    inverse = np.linalg.inv(second_moments + ridge * np.eye(len(second_moments)))
    # Least squares first: the weights may also make up for what rounding did to the inputs.
    residual = wanted - steps @ weights
    left = weights + inverse @ ((steps.T @ residual).astype(np.float64) / len(steps))
    scales = (np.abs(left).max(0) / WEIGHT_LIMIT).clip(TINY)
    integers = _spread_errors(left, scales, np.linalg.cholesky(inverse).T)
    return integers, scales.astype(np.float32)


def _spread_errors(
    left: NDArray[np.float64], scales: NDArray[np.float64], factor: NDArray[np.float64]
) -> NDArray[np.int8]:
    """GPTQ: round row by row; `factor` is the upper Cholesky factor of the inverse second moments (k, k)."""
    integers = np.empty(left.shape, np.int8)
    for start in range(0, len(left), BLOCK):
        stop = min(start + BLOCK, len(left))
        errors = np.empty((stop - start, left.shape[1]))
        for row in range(start, stop):
            rounded = np.rint(left[row] / scales).clip(-WEIGHT_LIMIT, WEIGHT_LIMIT)
            integers[row] = rounded
            errors[row - start] = (left[row] - rounded * scales) / factor[row, row]
            left[row + 1 : stop] -= np.outer(factor[row, row + 1 : stop], errors[row - start])
        left[stop:] -= factor[start:stop, stop:].T @ errors
    return integers

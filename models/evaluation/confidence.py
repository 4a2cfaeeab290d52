"""How sure a figure, or a difference between two rankers, is; the predictions of one session go
together.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964  # half of a normal interval that holds 95 %, in standard errors
DRAWS = 1_000
FEWEST_BY_CHI_SQUARE = 25


class Gain(NamedTuple):
    """A mean difference, and the bounds of its interval of 95 %."""

    mean: float
    low: float
    high: float


def gain(one: NDArray[np.float64], other: NDArray[np.float64], session: NDArray[np.int64]) -> Gain:
    """How much larger `one` is than `other` in the mean; all have the shape (predictions,), and
    `session` (0, 1, …) tells which predictions go together.

    The interval is the normal one with errors clustered by session (Liang and Zeger, Biometrika
    1986). Without two sessions it has no bounds.

    >>> gain(np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0]), np.array([0, 1, 2])).mean
    0.6666666666666666
    """
    if not len(one):
        return Gain(0.0, -math.inf, math.inf)
    difference = one - other
    mean = float(difference.mean())
    sums = np.bincount(session, weights=difference - mean)
    if len(sums) < 2:
        return Gain(mean, -math.inf, math.inf)
    error = math.sqrt(float((sums**2).sum()) * len(sums) / (len(sums) - 1)) / len(one)
    return Gain(mean, mean - Z_95 * error, mean + Z_95 * error)


class Interval(NamedTuple):
    """A mean, and the bounds of its interval of 95 %."""

    mean: float
    low: float
    high: float


def interval(values: NDArray[np.float64], session: NDArray[np.int64], random: np.random.Generator) -> Interval:
    """The mean of `values` (predictions,), and between which bounds 95 % of the means lie when
    sessions are drawn again, with replacement (bootstrap by cluster; Field and Welsh, JRSS B 2007).

    `session` (0, 1, …) tells which predictions go together.
    """
    if not len(values):
        return Interval(0.0, 0.0, 0.0)
    sums, counts = np.bincount(session, weights=values), np.bincount(session)
    sums, counts = sums[counts > 0], counts[counts > 0]
    means = np.zeros(DRAWS)
    for draw in range(DRAWS):
        times = np.bincount(random.integers(0, len(sums), len(sums)), minlength=len(sums))
        means[draw] = (times @ sums) / (times @ counts)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))


class McNemar(NamedTuple):
    """Of predictions that two runs made: those that only one, and only the other, hit; and how
    probable a difference at least as large is if both are equally good.
    """

    pairs: int
    only_this: int
    only_other: int
    p_value: float


def mcnemar(this: NDArray[np.bool_], other: NDArray[np.bool_]) -> McNemar:
    """Compare hits of the same predictions, (n,) (McNemar, Psychometrika 1947): with the correction
    for continuity, and exactly where fewer than 25 predictions differ.

    It takes predictions as independent: those of one session are not, so a p-value is too small
    rather than too large.

    >>> mcnemar(np.array([True, True, True]), np.array([True, False, False]))
    McNemar(pairs=3, only_this=2, only_other=0, p_value=0.5)
    """
    one, two = int(np.count_nonzero(this & ~other)), int(np.count_nonzero(other & ~this))
    differing = one + two
    if differing < FEWEST_BY_CHI_SQUARE:
        tail = sum(math.comb(differing, hits) for hits in range(min(one, two) + 1))
        p_value = min(1.0, 2.0 * tail / 2**differing)
    else:
        p_value = math.erfc(math.sqrt(max(abs(one - two) - 1.0, 0.0) ** 2 / differing / 2.0))
    return McNemar(len(this), one, two, p_value)

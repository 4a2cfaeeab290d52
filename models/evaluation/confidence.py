"""How sure a difference between two rankers is, when the predictions of one session go together."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964  # half of a normal interval that holds 95 %, in standard errors


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

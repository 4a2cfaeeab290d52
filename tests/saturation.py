"""Products of unsigned by signed bytes as x86 processors without VNNI compute them (`vpmaddubsw`,
`vpmaddwd`).
"""

import numpy as np
from numpy.typing import NDArray

SHORT = np.iinfo(np.int16)
HIGHEST_STEP = 255


def saturating_product(steps: NDArray[np.uint8], weights: NDArray[np.int8]) -> NDArray[np.int64]:
    """`steps` (rows, k) by `weights` (k, n), shape (rows, n), two neighbouring products added in
    signed 16 bits.

    Such a sum is cut off at both ends of 16 bits; then all are added in more bits.
    """
    total = np.zeros((len(steps), weights.shape[1]), np.int64)
    for first in range(0, len(weights), 2):
        pair = steps[:, first : first + 2].astype(np.int32) @ weights[first : first + 2].astype(np.int32)
        total += pair.clip(SHORT.min, SHORT.max)
    return total


def exact_product(steps: NDArray[np.uint8], weights: NDArray[np.int8]) -> NDArray[np.int64]:
    """The product as it should be, shape (rows, n). Floats of 64 bits hold it exactly, and multiply
    faster.
    """
    product: NDArray[np.int64] = (steps.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)
    return product


def furthest_sums(weights: NDArray[np.int8]) -> tuple[int, int]:
    """The least and the greatest sum that any steps can make of two neighbouring rows of weights
    (k, n).
    """
    padded = np.concatenate([weights, np.zeros_like(weights[: len(weights) % 2])]).astype(np.int32)
    pairs = padded.reshape(-1, 2, weights.shape[1])
    below, above = (HIGHEST_STEP * part.sum(1) for part in (pairs.clip(max=0), pairs.clip(min=0)))
    return int(below.min()), int(above.max())

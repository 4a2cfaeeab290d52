"""The compiled half of meaning: cosines of candidates with what the session saw."""

import numpy as np
from numpy.typing import NDArray

from models.kernel import summing_kernel
from models.ranker.arrays import FoundCandidates, Sessions

DECAY = np.float32(0.7)  # weight of an item of the session against the one after it
COUNTED = 8  # newest items of the session whose mean counts


@summing_kernel
def compare(
    vectors: NDArray[np.float32], sessions: Sessions, found: FoundCandidates, features: NDArray[np.void]
) -> None:
    """Fill what `features` (n,) of type FEATURE_TYPE say of meaning.

    `vectors` (items, dimension) have length 1, or 0 for items without meaning.
    """
    wanted = np.zeros((2, vectors.shape[1]), np.float32)
    last, mean = wanted[0], wanted[1]
    for row in range(len(sessions.sizes)):
        size, out = sessions.sizes[row], features[row]
        _want(vectors, sessions.items[row, max(size - COUNTED, 0) : size], last, mean)
        for i in range(found.sizes[row]):
            item = found.items[row, i]
            out.like_last[i] = out.like_session[i] = np.float32(0.0)
            out.like_rank[i] = found.said[row, i].like_rank
            if item < len(vectors):
                out.like_last[i] = _product(vectors[item], last)
                out.like_session[i] = _product(vectors[item], mean)


@summing_kernel
def _want(
    vectors: NDArray[np.float32], items: NDArray[np.int32], last: NDArray[np.float32], mean: NDArray[np.float32]
) -> None:
    """Fill the vector of the last of `items`, and the direction of all, by DECAY ^ place."""
    last[:] = np.float32(0.0)
    mean[:] = np.float32(0.0)
    share = np.float32(1.0)
    for i in range(len(items) - 1, -1, -1):
        if items[i] < len(vectors):
            row = vectors[items[i]]
            for d in range(len(mean)):
                mean[d] += share * row[d]
            if i == len(items) - 1:
                last[:] = row
        share *= DECAY
    length = np.sqrt(_product(mean, mean))
    if length > 0:
        for d in range(len(mean)):
            mean[d] /= length


@summing_kernel
def _product(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    total = np.float32(0.0)
    for d in range(len(one)):
        total += one[d] * other[d]
    return total

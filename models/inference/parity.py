"""Measure how near two sets of vectors are, and whether a text's vector depends on its batch."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]

NEIGHBOURS = 10
ROWS_AT_ONCE = 1_000


def cosines(one: Floats, other: Floats) -> Floats:
    """Return the cosine of each pair of rows, shape (n,); both inputs are (n, dim).

    >>> cosines(np.array([[3.0, 4.0]]), np.array([[30.0, 40.0]])).round(6).tolist()
    [1.0]
    """
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    found: Floats = (one * other).sum(1) / np.maximum(lengths, np.finfo(np.float32).tiny)
    return found


def neighbour_overlap(one: Floats, other: Floats, neighbours: int = NEIGHBOURS) -> float:
    """Return the mean share of each row's nearest rows that both sets agree on.

    Nearest means by dot product; both inputs are (n, dim).
    """
    nearest = zip(_nearest(one, neighbours), _nearest(other, neighbours), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / neighbours for a, b in nearest]))


def batch_independence(encode: Encode, texts: Sequence[str]) -> float:
    """Return the least cosine between a text's vectors in different batches.

    Compares the text alone, among all others, and among others in another order.
    """
    alone = np.concatenate([encode([text]) for text in texts])
    together = encode(texts)
    backwards = encode(texts[::-1])[::-1]
    mixed = np.concatenate([encode(texts[start::7]) for start in range(7)])
    mixed_alone = np.concatenate([alone[start::7] for start in range(7)])
    pairs = [(alone, together), (alone, backwards), (together, backwards), (mixed_alone, mixed)]
    return float(min(cosines(one, other).min() for one, other in pairs))


def _nearest(vectors: Floats, count: int) -> NDArray[np.intp]:
    rows = []
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        similarity = vectors[start : start + ROWS_AT_ONCE] @ vectors.T
        own = np.arange(len(similarity))
        similarity[own, own + start] = -np.inf
        rows.append(np.argpartition(-similarity, count, axis=1)[:, :count])
    return np.concatenate(rows)

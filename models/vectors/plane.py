"""Lays vectors out on a plane, so that people see which are alike: principal components."""

import numpy as np
from numpy.typing import NDArray


def lay_out(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a point in [0, 1] x [0, 1] for each vector, of shape (n, 2).

    They are the first two principal components (Pearson 1901), both in one scale, with the middle
    of the vectors at (0.5, 0.5). The same vectors in the same order always give the same points.
    """
    if not len(vectors):
        return np.zeros((0, 2), np.float32)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    # A component may as well point the other way: let its largest part be positive.
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    points = np.zeros((len(vectors), 2))
    points[:, : len(axes)] = centred @ axes.T
    reach = float(np.abs(points).max())
    return (0.5 + points / (2 * reach) if reach > 0 else points + 0.5).astype(np.float32)

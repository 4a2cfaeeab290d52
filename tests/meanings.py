"""Item vectors for the tests: directions instead of words, so that everybody can see what is near to what."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.recommender import Recommender
from models.vectors.item_vectors import unit


def direction(*parts: float, dimension: int = 8) -> list[float]:
    """A vector with these first parts."""
    return [*parts, *[0.0] * (dimension - len(parts))]


def means(recommender: Recommender, vectors: Mapping[str, Sequence[float]], model: str = "toy") -> None:
    """Give items their vectors."""
    recommender.set_vectors(model, list(vectors), np.array(list(vectors.values()), np.float32))


def shelves(items: int, dimension: int = 384, seed: int = 1) -> NDArray[np.float32]:
    """Unit vectors that lie around a few dozen directions, as the titles of a shop do; shape (items, dimension)."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=(40, dimension))
    # Within a shelf, few things differ: real titles do not spread evenly over all dimensions.
    found = middle[rng.integers(0, len(middle), items)] + 0.2 * rng.normal(size=(items, 24)) @ rng.normal(
        size=(24, dimension)
    )
    return unit(found.astype(np.float32))

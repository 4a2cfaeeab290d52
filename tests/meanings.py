"""Item vectors for tests: directions instead of words, so that a reader sees what is near what."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.recommender import Recommender
from models.vectors.item_vectors import unit


def direction(*parts: float, dimension: int = 8) -> list[float]:
    """Return a vector with these first parts."""
    return [*parts, *[0.0] * (dimension - len(parts))]


def means(recommender: Recommender, vectors: Mapping[str, Sequence[float]], model: str = "toy") -> None:
    """Give items their vectors."""
    recommender.set_vectors(model, list(vectors), np.array(list(vectors.values()), np.float32))


def shelves(items: int, dimension: int = 384, seed: int = 1) -> NDArray[np.float32]:
    """Return unit vectors near a few dozen directions, like the titles of a shop.

    The shape is (items, dimension).
    """
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=(40, dimension))
    # Items of a shelf differ in few things: real titles do not use all dimensions evenly.
    found = middle[rng.integers(0, len(middle), items)] + 0.2 * rng.normal(size=(items, 24)) @ rng.normal(
        size=(24, dimension)
    )
    return unit(found.astype(np.float32))

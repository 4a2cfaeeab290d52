"""Loads vectors of items that were made elsewhere: a NumPy archive with `ids` and `vectors`."""

import zipfile
from pathlib import Path

import numpy as np

from app.errors import HeadraceError
from models.recommender import Recommender


def load_vectors(path: Path, recommender: Recommender) -> None:
    """Give the recommender the vectors of an .npz file.

    `ids` has the shape (n,), `vectors` the shape (n, dimension). Raises HeadraceError with advice
    when the file cannot be read or holds anything else.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            ids, vectors = archive["ids"], archive["vectors"]
        recommender.set_vectors(path.name, [str(each) for each in ids.tolist()], vectors.astype(np.float32))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        advice = "expected numpy.savez(FILE, ids=..., vectors=...), one row of numbers an id"
        raise HeadraceError(f"{path} holds no item vectors: {error}; {advice}") from error

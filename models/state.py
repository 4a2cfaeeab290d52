"""Save and load state as named columns.

The parts of `models` that learn give their state in this form.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def columns(arrays: Arrays, **kinds: type[np.generic]) -> list[NDArray[Any]]:
    """Return the columns of these names, in their order.

    Raises ValueError if one is missing, has another type, or is not flat.
    """
    for name, kind in kinds.items():
        if name not in arrays:
            raise ValueError(f"there is no column {name}")
        if arrays[name].ndim != 1 or arrays[name].dtype != kind:
            raise ValueError(f"the column {name} is not of type {kind.__name__}")
    return [arrays[name] for name in kinds]


def require(holds: bool | np.bool_, what: str) -> None:
    """Raise ValueError with `what` in its message unless the condition holds."""
    if not holds:
        raise ValueError(f"not a saved state: {what}")


def pack(names: Sequence[str], text: str, starts: str) -> dict[str, NDArray[Any]]:
    """Return names as two columns: UTF-8 end to end, shape (bytes,), and their starts, shape (n +
    1,).
    """
    encoded = [name.encode("utf-8", "surrogatepass") for name in names]
    ends = np.cumsum([0, *(len(each) for each in encoded)], dtype=np.int64)
    return {text: np.frombuffer(b"".join(encoded), np.uint8), starts: ends}


def unpack(arrays: Arrays, text: str, starts: str) -> list[str]:
    """Return the names that `pack` packed.

    Raises ValueError for columns that `pack` could not have made.
    """
    kinds: dict[str, type[np.generic]] = {text: np.uint8, starts: np.int64}
    joined, bounds = columns(arrays, **kinds)
    require(len(bounds) > 0 and bounds[0] == 0 and bounds[-1] == len(joined), f"{starts} do not fit {text}")
    require((np.diff(bounds) > 0).all(), f"one of {text} is empty")
    letters, edges = joined.tobytes(), bounds.tolist()
    names = [letters[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(edges)]
    require(len(set(names)) == len(names), f"one of {text} is there twice")
    return names


def nested(**parts: Arrays) -> dict[str, NDArray[Any]]:
    """Return the columns of several parts as one set, with names like `part.column`."""
    return {f"{part}.{name}": column for part, arrays in parts.items() for name, column in arrays.items()}


def part(arrays: Arrays, name: str) -> dict[str, NDArray[Any]]:
    """Return the columns of one part of what `nested` made."""
    start = f"{name}."
    return {key.removeprefix(start): column for key, column in arrays.items() if key.startswith(start)}


def join(pieces: Iterable[Arrays]) -> dict[str, NDArray[Any]]:
    """Return one set of columns: those of the same name end to end, in the order of the pieces."""
    found: dict[str, list[NDArray[Any]]] = {}
    for piece in pieces:
        for name, column in piece.items():
            found.setdefault(name, []).append(column)
    return {name: np.concatenate(several) for name, several in found.items()}

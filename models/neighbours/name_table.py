"""Item names as arrays, so that compiled code can order items by name and hash them alike in every
worker.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.neighbours.arrays import ItemNames
from models.vocabulary import Vocabulary

T = TypeVar("T", bound=np.generic)


class NameTable:
    """Follows a vocabulary: the UTF-8 of its names end to end, and a hash of each."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._count = 0
        self._end = 0
        self._text = np.zeros(4096, np.uint8)
        self._starts = np.zeros(1025, np.int64)
        self.keys: NDArray[np.uint64] = np.zeros(1024, np.uint64)

    def __len__(self) -> int:
        return self._count

    @property
    def memory_bytes(self) -> int:
        """Bytes that the arrays take, the vocabulary itself left out."""
        return self._text.nbytes + self._starts.nbytes + self.keys.nbytes

    @property
    def text(self) -> NDArray[np.uint8]:
        """The UTF-8 of the names read so far, end to end."""
        return self._text

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each name starts in `text`; the entry after the last is where that one ends."""
        return self._starts

    def weighted(self, weight: NDArray[np.float32]) -> ItemNames:
        """The names read so far, and the items' weights."""
        return ItemNames(self._text, self._starts, weight)

    def catch_up(self) -> None:
        """Read the names that the vocabulary got since the last time."""
        new = [name.encode("utf-8", "surrogatepass") for name in self._vocabulary.names[self._count :]]
        if not new:
            return
        first, count = self._count, self._count + len(new)
        ends = self._end + np.cumsum([len(name) for name in new])
        self._text = _with_length(self._text, int(ends[-1]))
        self._starts = _with_length(self._starts, count + 1)
        self.keys = _with_length(self.keys, count)
        self._text[self._end : ends[-1]] = np.frombuffer(b"".join(new), np.uint8)
        self._starts[first + 1 : count + 1] = ends
        self._count, self._end = count, int(ends[-1])
        _hash_names(self._text, self._starts, self.keys, first, count)

    def add(self, text: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.int32]:
        """The vocabulary's numbers of the names that `copy` gave; shape (count,)."""
        joined = text.tobytes()
        pairs = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        return self._vocabulary.numbers(joined[a:b].decode("utf-8", "surrogatepass") for a, b in pairs)

    def copy(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The UTF-8 of all names end to end, and where each starts; shapes (bytes,) and (count +
        1,).
        """
        return self._text[: self._end].copy(), self._starts[: self._count + 1].copy()


@kernel
def _hash_names(
    text: NDArray[np.uint8], starts: NDArray[np.int64], keys: NDArray[np.uint64], first: int, count: int
) -> None:
    # FNV-1a, 64 bits: short, and the same everywhere.
    for name in range(first, count):
        key = np.uint64(14695981039346656037)
        for i in range(starts[name], starts[name + 1]):
            key = (key ^ np.uint64(text[i])) * np.uint64(1099511628211)
        keys[name] = key


def _with_length(array: NDArray[T], length: int) -> NDArray[T]:
    if length <= len(array):
        return array
    longer = np.zeros(1 << (length - 1).bit_length(), array.dtype)
    longer[: len(array)] = array
    return longer

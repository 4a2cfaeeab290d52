"""Keep vectors by the hash of their text and model: an unchanged text needs no inference."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class VectorCache(Protocol):
    """Keeps vectors by key; called from a thread of its own, so it may block."""

    def get_many(self, keys: Sequence[bytes]) -> list[Vector | None]:
        """Return the vector of each key, or None."""

    def put_many(self, keys: Sequence[bytes], vectors: Sequence[Vector]) -> None:
        """Keep each key's vector, for as long as there is room."""


class MemoryCache:
    """Keeps the vectors used last, at most `capacity` of them. Safe to use from several threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def get_many(self, keys: Sequence[bytes]) -> list[Vector | None]:
        """Return the vector of each key, or None; those found count as used now."""
        with self._lock:
            found = [self._vectors.get(key) for key in keys]
            for key, vector in zip(keys, found, strict=True):
                if vector is not None:
                    self._vectors.move_to_end(key)
        return found

    def put_many(self, keys: Sequence[bytes], vectors: Sequence[Vector]) -> None:
        """Keep each key's vector; drops those unused for longest if there is no room."""
        with self._lock:
            for key, vector in zip(keys, vectors, strict=True):
                # A copy: a row of a batch would keep the whole batch in memory.
                self._vectors[key] = vector.copy()
                self._vectors.move_to_end(key)
            while len(self._vectors) > self._capacity:
                self._vectors.popitem(last=False)


def vector_key(model: str, text: str) -> bytes:
    """Return 16 bytes that differ for different models or texts; `model` is an artefact's `key`."""
    content = f"{model}\0".encode() + text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).digest()

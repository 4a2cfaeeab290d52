"""Number ids, so that everything after decoding works on arrays of integers."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Vocabulary:
    """Numbers ids 0, 1, 2, … in the order of their first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str) -> int:
        """Return the id's number; a new id gets the next one."""
        known = self._numbers.get(name)
        if known is None:
            known = self._numbers[name] = len(self.names)
            self.names.append(name)
        return known

    def numbers(self, names: Iterable[str]) -> NDArray[np.int32]:
        """Return the ids' numbers, shape (n,); new ids get the next ones."""
        wanted = list(names)
        found = list(map(self._numbers.get, wanted))
        # Nearly always all are known, and then no call of our own is made for each.
        if None in found:
            return np.fromiter((self.number(name) for name in wanted), np.int32, len(wanted))
        return np.array(found, np.int32)

    def find(self, name: str) -> int | None:
        """Return the id's number, or None for an id never seen."""
        return self._numbers.get(name)

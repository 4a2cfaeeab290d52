"""Lists that a learned ranker makes in place of the formula, and what it has to be able to do."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.state import Arrays
from models.users.gather import ListRequests


class LearnedLists(NamedTuple):
    """What a learned ranker lists, best first, and what found each item, both (users, size)."""

    items: NDArray[np.int32]
    sources: NDArray[np.uint8]


class LearnedRanker(Protocol):
    """Ranks lists instead of the formula where it can, and has a state of its own."""

    @property
    def model(self) -> str:
        """What makes lists now; empty while the formula does."""

    def lists(self, requests: ListRequests, size: int) -> LearnedLists | None:
        """Lists, which may end early; None while the formula ranks."""

    def forget(self, sessions: NDArray[np.uint64]) -> None:
        """Forget the sessions with these hashes, shape (n,)."""

    def unlearn(self, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        """Forget how cancelled orders related items: hashes of their sessions, item numbers and
        event times in seconds, shapes (n,).
        """

    def snapshot(self) -> Arrays:
        """Columns of its state."""

    def restore(self, arrays: Arrays) -> None:
        """Take over these columns. Raises ValueError for others."""

"""Who has which items in their list, so that a list can be corrected when an item may no longer be shown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import Vocabulary

NOTHING = -1
FIRST_CAPACITY = 1024


class Holder(NamedTuple):
    """A user, the partition that the user's events come from, and the hash of the session that led to the list."""

    user_id: str
    partition: int
    session: int


class Shown:
    """The newest lists of up to `capacity` users as rows of item numbers; the one set first makes room."""

    def __init__(self, items: Vocabulary, size: int, capacity: int) -> None:
        self._items = items
        self._capacity = capacity
        self._rows = np.full((min(FIRST_CAPACITY, capacity), size), NOTHING, np.int32)
        self._holders: list[Holder] = []
        self._row_of: dict[str, int] = {}
        self._next = 0

    def put(self, holder: Holder, item_ids: Sequence[str]) -> None:
        """The user's list is now this one."""
        row = self._row_of.get(holder.user_id)
        if row is None:
            row = self._row_of[holder.user_id] = self._take_row(holder)
        self._holders[row] = holder
        numbers = [self._items.number(item_id) for item_id in item_ids]
        self._rows[row] = numbers + [NOTHING] * (self._rows.shape[1] - len(numbers))

    def has(self, holder: Holder) -> bool:
        """Whether the user's newest list known here is still this holder's."""
        row = self._row_of.get(holder.user_id)
        return row is not None and self._holders[row] == holder

    def has_user(self, user_id: str) -> bool:
        """Whether a list of this user is known here."""
        return user_id in self._row_of

    def holders_of(self, items: NDArray[np.int32]) -> list[Holder]:
        """The users whose lists hold any of these item numbers."""
        holding = np.isin(self._rows[: len(self._holders)], items).any(axis=1)
        return [self._holders[row] for row in np.flatnonzero(holding).tolist()]

    def forget(self) -> None:
        """Forget all lists: their users may have moved to another worker."""
        self._holders.clear()
        self._row_of.clear()
        self._next = 0

    def _take_row(self, holder: Holder) -> int:
        if len(self._holders) < self._capacity:
            self._holders.append(holder)
            if len(self._holders) > len(self._rows):
                more = min(len(self._rows), self._capacity - len(self._rows))
                self._rows = np.vstack([self._rows, np.full((more, self._rows.shape[1]), NOTHING, np.int32)])
            return len(self._holders) - 1
        row = self._next
        self._next = (self._next + 1) % self._capacity
        del self._row_of[self._holders[row].user_id]
        return row

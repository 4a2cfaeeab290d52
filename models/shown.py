"""Who has which items in their list, so that a list can be corrected when an item may no longer be
shown.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
FIRST_CAPACITY = 1024


class Holder(NamedTuple):
    """A user, the partition that the user's events come from, and the hash of the session that led
    to the list.
    """

    user_id: str
    partition: int
    session: int


class Shown:
    """The newest lists of up to `capacity` users as rows of item numbers; the one set first makes
    room.
    """

    def __init__(self, size: int, capacity: int) -> None:
        """`size` is the length of a list."""
        self._capacity = capacity
        rows = min(FIRST_CAPACITY, capacity)
        self._rows = np.full((rows, size), NOTHING, np.int32)
        self._partitions = np.zeros(rows, np.int32)
        self._sessions = np.zeros(rows, np.uint64)
        self._users: list[str] = []
        self._row_of: dict[str, int] = {}
        self._next = 0

    def put(
        self, user_ids: Sequence[str], partition: int, sessions: NDArray[np.uint64], items: NDArray[np.int32]
    ) -> None:
        """The users' lists are now these, shape (users, size), padded with NOTHING; `sessions` led
        to them.
        """
        if not user_ids:
            return
        row_of = self._row_of
        rows = [row_of[user] if user in row_of else self._take_row(user) for user in user_ids]
        self._rows[rows] = items
        self._partitions[rows] = partition
        self._sessions[rows] = sessions

    def has(self, holder: Holder) -> bool:
        """Whether the user's newest list known here is still this holder's."""
        row = self._row_of.get(holder.user_id)
        return row is not None and self._holder(row) == holder

    def has_user(self, user_id: str) -> bool:
        """Whether a list of this user is known here."""
        return user_id in self._row_of

    def holders_of(self, items: NDArray[np.int32]) -> list[Holder]:
        """The users whose lists hold any of these item numbers."""
        holding = np.isin(self._rows[: len(self._users)], items).any(axis=1)
        return [self._holder(row) for row in np.flatnonzero(holding).tolist()]

    def forget(self) -> None:
        """Forget all lists: their users may have moved to another worker."""
        self._users.clear()
        self._row_of.clear()
        self._next = 0

    def _holder(self, row: int) -> Holder:
        return Holder(self._users[row], int(self._partitions[row]), int(self._sessions[row]))

    def _take_row(self, user: str) -> int:
        if len(self._users) < self._capacity:
            row = len(self._users)
            self._users.append(user)
            if row == len(self._rows):
                self._grow(min(2 * row, self._capacity))
        else:
            row = self._next
            self._next = (self._next + 1) % self._capacity
            del self._row_of[self._users[row]]
            self._users[row] = user
        self._row_of[user] = row
        return row

    def _grow(self, rows: int) -> None:
        more = rows - len(self._rows)
        self._rows = np.vstack([self._rows, np.full((more, self._rows.shape[1]), NOTHING, np.int32)])
        self._partitions = np.concatenate([self._partitions, np.zeros(more, np.int32)])
        self._sessions = np.concatenate([self._sessions, np.zeros(more, np.uint64)])

"""Who has which items in their list, so that a list can be corrected when an item may no longer be
shown, and scored when its user acts.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.stored_lists import LOOKED_AT, NOBODY_LOOKS, ListScores, score_events
from models.kernel import kernel
from models.ranking.lists import SOURCES as SOURCE_NAMES

NOTHING = -1
SOURCES = len(SOURCE_NAMES)
FIRST_CAPACITY = 1024


class Holder(NamedTuple):
    """A user, the partition that the user's events come from, and the hash of the session that led
    to the list.
    """

    user_id: str
    partition: int
    session: int


class Holders(NamedTuple):
    """Some users, and the place from which others are to be looked for."""

    found: list[Holder]
    after: int


class Shown:
    """The newest lists of up to `capacity` users as rows of item numbers; the one set first makes
    room.
    """

    def __init__(self, size: int, capacity: int) -> None:
        """`size` is the length of a list."""
        self._capacity = capacity
        rows = min(FIRST_CAPACITY, capacity)
        self._rows = np.full((rows, size), NOTHING, np.int32)
        self._sources = np.zeros((rows, size), np.uint8)
        self._looked_at = np.zeros(rows, LOOKED_AT)
        self._partitions = np.zeros(rows, np.int32)
        self._sessions = np.zeros(rows, np.uint64)
        self._users: list[str] = []
        self._row_of: dict[str, int] = {}
        self._next = 0

    def put(
        self,
        user_ids: Sequence[str],
        partitions: int | NDArray[np.int32],
        sessions: NDArray[np.uint64],
        items: NDArray[np.int32],
        sources: NDArray[np.uint8] | int = 0,
    ) -> None:
        """The users' lists are now these, shape (users, size), padded with NOTHING; `sessions`
        (users,) led to them. `partitions` are the users' own, (users,) or one of
        all. `sources` (users, size) are what found the items, as `models.ranking.lists` numbers it.
        """
        if not user_ids:
            return
        rows = self._rows_of(user_ids)
        self._rows[rows] = items
        self._sources[rows] = sources
        self._partitions[rows] = partitions
        self._sessions[rows] = sessions

    def score(
        self, user_ids: Sequence[str], user_of: NDArray[np.int32], items: NDArray[np.int32], *, taken: bool
    ) -> ListScores:
        """Look for events in the lists that their users have now, and note what the users look at.

        `user_of` (n,) is the place of each event's user in `user_ids`; `items` (n,) are in the
        order of the events, and `taken` tells whether they are carts or orders.
        """
        rows = np.array(self._rows_of(user_ids), np.int64)
        hits = np.zeros(SOURCES, np.int64)
        scored, reciprocals = score_events(
            self._rows, self._sources, self._looked_at, rows[user_of] if len(rows) else rows, items, taken, hits
        )
        return ListScores(scored, reciprocals, hits)

    def has(self, holder: Holder) -> bool:
        """Whether the user's newest list known here is still this holder's."""
        row = self._row_of.get(holder.user_id)
        return row is not None and self._holder(row) == holder

    def has_user(self, user_id: str) -> bool:
        """Whether a list of this user is known here."""
        return user_id in self._row_of

    def __len__(self) -> int:
        """The number of users."""
        return len(self._users)

    def holders_of(self, items: NDArray[np.int32]) -> list[Holder]:
        """The users whose lists hold any of these item numbers."""
        return self.find_holders(mark(items), 0, len(self)).found

    def find_holders(self, marked: NDArray[np.bool_], first: int, most: int) -> Holders:
        """The first `most` users from place `first` on whose lists hold an item that is marked, by
        item number.
        """
        rows = np.empty(min(most, len(self)), np.int64)
        count, after = _find(self._rows[: len(self)], marked, first, rows)
        return Holders([self._holder(row) for row in rows[:count].tolist()], after)

    def remove(self, user_ids: Iterable[str]) -> None:
        """Forget the lists of these users. Their rows are used again like others."""
        for user in user_ids:
            row = self._row_of.pop(user, None)
            if row is not None:
                self._rows[row], self._sessions[row], self._users[row] = NOTHING, 0, ""
                self._looked_at[row] = NOBODY_LOOKS

    def forget(self) -> None:
        """Forget all lists: their users may have moved to another worker."""
        self._users.clear()
        self._row_of.clear()
        self._next = 0

    def _rows_of(self, user_ids: Sequence[str]) -> list[int]:
        row_of = self._row_of
        return [row_of[user] if user in row_of else self._take_row(user) for user in user_ids]

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
            self._row_of.pop(self._users[row], None)  # it may have been removed
            self._users[row] = user
        self._rows[row], self._looked_at[row] = NOTHING, NOBODY_LOOKS
        self._row_of[user] = row
        return row

    def _grow(self, rows: int) -> None:
        more = rows - len(self._rows)
        self._rows = np.vstack([self._rows, np.full((more, self._rows.shape[1]), NOTHING, np.int32)])
        self._sources = np.vstack([self._sources, np.zeros((more, self._rows.shape[1]), np.uint8)])
        self._looked_at = np.concatenate([self._looked_at, np.zeros(more, LOOKED_AT)])
        self._partitions = np.concatenate([self._partitions, np.zeros(more, np.int32)])
        self._sessions = np.concatenate([self._sessions, np.zeros(more, np.uint64)])


def mark(items: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether an item is one of these, by item number; shape (highest + 1,)."""
    marked = np.zeros(int(items.max(initial=-1)) + 1, np.bool_)
    marked[items] = True
    return marked


@kernel
def _find(lists: NDArray[np.int32], marked: NDArray[np.bool_], first: int, rows: NDArray[np.int64]) -> tuple[int, int]:
    """Fill `rows` with the first ones from `first` on that hold a marked item.

    Returns how many there are, and the row after the last one that was looked at.
    """
    count, row = 0, first
    while row < len(lists) and count < len(rows):
        for item in lists[row]:
            if 0 <= item < len(marked) and marked[item]:
                rows[count] = row
                count += 1
                break
        row += 1
    return count, row

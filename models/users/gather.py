"""What lists are made from: the recent and excluded items of many users, flat, out of the arrays of
the user table.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.users.arrays import BOUGHT, LISTS, RECENT, UserArrays

NO_SESSION = 0


class ListRequests(NamedTuple):
    """For whom lists are wanted, as flat arrays.

    User u's recent items, newest first, are `items[starts[u]:starts[u + 1]]`, with event times `ts`
    in seconds and `kinds`; what may not be shown is `excluded[excluded_starts[u]:excluded_starts[u
    + 1]]`; `sessions[u]` is the hash of the user's own session, which is no neighbour of itself, or
    NO_SESSION.
    """

    items: NDArray[np.int32]
    ts: NDArray[np.float64]
    kinds: NDArray[np.int32]
    starts: NDArray[np.int64]
    excluded: NDArray[np.int32]
    excluded_starts: NDArray[np.int64]
    sessions: NDArray[np.uint64]

    # Not __len__: a named tuple's own methods count its fields with it.
    @property
    def users(self) -> int:
        """The number of users."""
        return len(self.sessions)

    @property
    def newest_ts(self) -> NDArray[np.float64]:
        """Event time of each user's newest interaction in seconds; 0 before the first. Shape
        (users,).
        """
        newest = np.zeros(self.users)
        known = self.starts[:-1] < self.starts[1:]
        newest[known] = self.ts[self.starts[:-1][known]]
        return newest

    @classmethod
    def of_items(cls, items: NDArray[np.int32], session: int) -> Self:
        """One request of a user who just saw these items, the newest first, and is shown none of
        them.
        """
        starts = np.array([0, len(items)], np.int64)
        kinds, ts = np.zeros(len(items), np.int32), np.zeros(len(items))
        return cls(items, ts, kinds, starts, items, starts, np.array([session], np.uint64))

    @classmethod
    def of(cls, users: UserArrays, slots: NDArray[np.int32], sessions: NDArray[np.uint64], latest: int) -> Self:
        """The users in these slots, shape (users,); their `latest` recent items and all bought ones
        are excluded.
        """
        sizes = users.blocks["size"].reshape(-1, LISTS)[slots]
        recent, bought = sizes[:, RECENT], sizes[:, BOUGHT]
        starts, excluded_starts = _starts(recent), _starts(np.minimum(recent, latest) + bought)
        asked = cls(
            np.empty(starts[-1], np.int32),
            np.empty(starts[-1]),
            np.empty(starts[-1], np.int32),
            starts,
            np.empty(excluded_starts[-1], np.int32),
            excluded_starts,
            sessions,
        )
        _gather(users, slots, latest, asked)
        return asked


def _starts(sizes: NDArray[np.int32]) -> NDArray[np.int64]:
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


@kernel
def _gather(users: UserArrays, slots: NDArray[np.int32], latest: int, asked: ListRequests) -> None:
    for user in range(len(slots)):
        block = LISTS * slots[user] + RECENT
        base, at, out = users.blocks[block].base, asked.starts[user], asked.excluded_starts[user]
        for i in range(users.blocks[block].size):
            asked.items[at + i] = users.entries[base + i].id
            asked.ts[at + i] = users.entries[base + i].value
            asked.kinds[at + i] = users.entries[base + i].kind
        for i in range(min(latest, users.blocks[block].size)):
            asked.excluded[out] = users.entries[base + i].id
            out += 1
        block = LISTS * slots[user] + BOUGHT
        base = users.blocks[block].base
        for i in range(users.blocks[block].size):
            asked.excluded[out] = users.entries[base + i].id
            out += 1

"""The arrays that hold the profiles of active users, under names that compiled code knows too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SMALLEST_BLOCK = 4
CLASSES = 24

# The lists of one user; list `which` of slot s has block LISTS * s + which.
LISTS = 3
RECENT = 0
BOUGHT = 1
APPLIED = 2

# Columns of `UserArrays.session`: the time that names the session, and its span.
OPENED = 0
START = 1
END = 2

# One entry of a list. In RECENT and BOUGHT: item number, kind and event time, newest first. In
# APPLIED: source number and offset (below 2^48, so exact in a float), in no order.
ENTRY = np.dtype([("id", np.int32), ("kind", np.int32), ("value", np.float64)])
BLOCK = np.dtype([("base", np.int64), ("size", np.int32), ("room", np.int32)])


class UserArrays(NamedTuple):
    """One slot a user. `entries` is the arena of all lists; freed blocks are chained by size class
    from `free`.

    `counts` (slots, kinds) are decayed sums as of `counted_at`; `session` (slots, 3) is NaN without
    an open session.
    """

    blocks: NDArray[np.void]
    entries: NDArray[np.void]
    free: NDArray[np.int64]
    end: NDArray[np.int64]
    counts: NDArray[np.float64]
    counted_at: NDArray[np.float64]
    session: NDArray[np.float64]


class Names(NamedTuple):
    """Names as UTF-8 end to end; name i is text[starts[i]:starts[i + 1]]."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]


class ProfileLimits(NamedTuple):
    """How much of a user is kept, and the rate per second at which counts decay."""

    recent: int
    bought: int
    rate: float


class Steps(NamedTuple):
    """Events of one source and kind in offset order, columns of length n, and where each user's
    session is found.

    `named` marks events with a session id of their own. For the others `opened` becomes the time
    that names the session. `places` gives the partition of each source number: a partition has one
    log at a time.
    """

    slots: NDArray[np.int32]
    items: NDArray[np.int32]
    ts: NDArray[np.float64]
    offsets: NDArray[np.int64]
    named: NDArray[np.bool_]
    opened: NDArray[np.float64]
    places: NDArray[np.int32]
    source: int
    kind: int


def empty_arrays(slots: int, entries: int, kinds: int) -> UserArrays:
    """Return arrays for `slots` new users, with room for `entries` entries of their lists."""
    return UserArrays(
        blocks=np.zeros(LISTS * slots, BLOCK),
        entries=np.zeros(entries, ENTRY),
        free=np.full(CLASSES, -1, np.int64),
        end=np.zeros(1, np.int64),
        counts=np.zeros((slots, kinds)),
        counted_at=np.zeros(slots),
        session=np.full((slots, 3), np.nan),
    )


def with_slots(arrays: UserArrays, slots: int) -> UserArrays:
    """The arrays with more slots."""
    old = len(arrays.counted_at)
    grown = empty_arrays(slots, 0, arrays.counts.shape[1])
    grown.blocks[: LISTS * old] = arrays.blocks
    grown.counts[:old], grown.counted_at[:old], grown.session[:old] = arrays.counts, arrays.counted_at, arrays.session
    return grown._replace(entries=arrays.entries, free=arrays.free, end=arrays.end)


def with_entries(arrays: UserArrays) -> UserArrays:
    """The arrays with at least twice the room for entries, and enough for any list to double."""
    needed = 2 * len(arrays.entries) + 2 * LISTS * int(arrays.blocks["room"].max())
    entries = np.zeros(needed, ENTRY)
    entries[: len(arrays.entries)] = arrays.entries
    return arrays._replace(entries=entries)

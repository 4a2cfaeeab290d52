"""Define the arrays of the neighbour index as named tuples, which compiled code can use too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SMALLEST_BLOCK = 4
CLASSES = 28

# Positions in `Index.counters`.
OPENED = 0
CLOSED = 1


# These are records, because values used together should come from memory together.
CELL = np.dtype([("id", np.int64), ("ts", np.float64)])
OWNER = np.dtype([("base", np.int64), ("head", np.int32), ("size", np.int32), ("room", np.int64)])


class Lists(NamedTuple):
    """Holds lists of cells, each ascending by (ts, keys[id]), all in one arena.

    Entry i of an owner is in cell base + (head + i) % room. The length of `keys` is a power of two,
    and the key of an id is at id % len(keys). Sessions have at most `limit` entries. Postings may
    have more, but only the newest `limit` are read.
    """

    cells: NDArray[np.void]
    owners: NDArray[np.void]
    free: NDArray[np.int64]
    end: NDArray[np.int64]
    keys: NDArray[np.uint64]
    limit: int


class Index(NamedTuple):
    """Holds the sessions of each item, and the items of each session.

    `table` maps session hashes to session numbers. Sessions are numbered as they open. Number s is
    in slot s % len(slots), until s is below counters[CLOSED]. The keys of postings are the hashes
    of the sessions, slot by slot; the keys of sessions are hashes of the items' names.
    """

    postings: Lists
    sessions: Lists
    table: NDArray[np.int64]
    counters: NDArray[np.int64]
    limit: int


class Events(NamedTuple):
    """Holds columns of length n: session hash, item number, event time in seconds."""

    sessions: NDArray[np.uint64]
    items: NDArray[np.int32]
    ts: NDArray[np.float64]


class Asked(NamedTuple):
    """Holds many users' queries as flat arrays.

    The recent items of user u are items[starts[u]:starts[u + 1]].
    """

    items: NDArray[np.int32]
    starts: NDArray[np.int64]
    excluded: NDArray[np.int32]
    excluded_starts: NDArray[np.int64]
    own: NDArray[np.int64]


class Formula(NamedTuple):
    """Holds the weights of the formula as tables.

    `position` is by place among the recent items, `distance` by places apart, `rarity` by number of
    postings.
    """

    neighbours: int
    position: NDArray[np.float64]
    distance: NDArray[np.float64]
    rarity: NDArray[np.float64]


class ItemNames(NamedTuple):
    """Holds item names as UTF-8, name i at text[starts[i]:starts[i + 1]], and item weights."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    weight: NDArray[np.float32]


class Answer(NamedTuple):
    """Holds items and scores, shapes (q, n), best first; unused places keep their value."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]

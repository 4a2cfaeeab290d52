"""The arrays that the neighbour index consists of and exchanges, under names that compiled code knows too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SMALLEST_BLOCK = 4
CLASSES = 28

# Places in `Index.counters`.
OPENED = 0
CLOSED = 1


# Records, because what is used together should come from memory together.
CELL = np.dtype([("id", np.int64), ("ts", np.float64)])
OWNER = np.dtype([("base", np.int64), ("head", np.int32), ("size", np.int32), ("room", np.int64)])


class Lists(NamedTuple):
    """Lists of cells, each ascending by (ts, keys[id]), all in one arena.

    Entry i of an owner is in cell base + (head + i) % room. The length of `keys` is a power of two, and
    the key of an id stands at id % len(keys). Sessions are at most `limit` long; postings may be longer, but no
    more than the newest `limit` are read.
    """

    cells: NDArray[np.void]
    owners: NDArray[np.void]
    free: NDArray[np.int64]
    end: NDArray[np.int64]
    keys: NDArray[np.uint64]
    limit: int


class Index(NamedTuple):
    """The sessions that hold each item, the items of each session, and the map from session hash to session number.

    Sessions are numbered as they open: number s lives in slot s % len(slots), until s < counters[CLOSED].
    The keys of postings are the hashes of the sessions, slot by slot; the keys of sessions are hashes of
    the items' names.
    """

    postings: Lists
    sessions: Lists
    table: NDArray[np.int64]
    counters: NDArray[np.int64]
    limit: int


class Events(NamedTuple):
    """Columns of length n: session hash, item number, event time in seconds."""

    sessions: NDArray[np.uint64]
    items: NDArray[np.int32]
    ts: NDArray[np.float64]


class Asked(NamedTuple):
    """Flat arrays of many users' queries; user u's recent items are items[starts[u]:starts[u + 1]]."""

    items: NDArray[np.int32]
    starts: NDArray[np.int64]
    excluded: NDArray[np.int32]
    excluded_starts: NDArray[np.int64]
    own: NDArray[np.int64]


class Formula(NamedTuple):
    """The weightings as tables: by place among the recent items, by places apart, by number of postings."""

    neighbours: int
    position: NDArray[np.float64]
    distance: NDArray[np.float64]
    rarity: NDArray[np.float64]


class ItemNames(NamedTuple):
    """Item names as UTF-8, name i at text[starts[i]:starts[i + 1]], and the weights of the items."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    weight: NDArray[np.float32]


class Answer(NamedTuple):
    """Items and scores, shapes (q, n), best first; what is not filled keeps its value."""

    items: NDArray[np.int32]
    scores: NDArray[np.float32]

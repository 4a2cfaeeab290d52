"""Find repeated event ids: exact within bounded memory.

An event that is read again at the same offset is not a repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.kernel import kernel
from models.state import Arrays, columns, nested, pack, part, require, unpack
from models.vocabulary import Vocabulary

OFFSET_BITS = 48  # a position is the source's number above, the offset below
FIRST_CAPACITY = 1 << 12
PIECE = 1 << 16  # slots that are copied at a time: about a millisecond's work
EMPTY = 0


@dataclass(slots=True)
class _Generation:
    """Holds one generation of ids in an open-addressing table; key 0 marks a free slot."""

    keys: NDArray[np.uint64]
    positions: NDArray[np.int64]
    ts: NDArray[np.float64]
    used: int = 0
    since: float = 0.0

    @classmethod
    def empty(cls, capacity: int) -> "_Generation":
        return cls(np.zeros(capacity, np.uint64), np.zeros(capacity, np.int64), np.zeros(capacity))

    @classmethod
    def of(cls, entries: Arrays, since: float) -> "_Generation":
        """Return a table of the entries that `piece` gave."""
        keys, positions, ts = (np.array(entries[name]) for name in ("keys", "positions", "ts"))
        table = _grown(cls(keys, positions, ts), max(len(keys), FIRST_CAPACITY // 2))
        table.used, table.since = int(np.count_nonzero(table.keys)), since
        return table

    def piece(self, start: int) -> dict[str, NDArray[Any]]:
        """Return the entries in PIECE slots from `start` on."""
        slots = start + np.flatnonzero(self.keys[start : start + PIECE])
        return {"keys": self.keys[slots], "positions": self.positions[slots], "ts": self.ts[slots]}


class DuplicateFilter:
    """Remembers 64-bit hashes of event ids with the position and event time of their first
    appearance.

    An id is a duplicate if it was seen at another position with an event time at most `window`
    seconds away. Memory is two generations of at most `memory / 2` ids. When the young one is full,
    or older than the window by the broker's clock, it becomes the old one, and the old one is
    forgotten. A false match between two ids needs equal xxh3 hashes: the chance is below 1e-11 per
    event at eight million ids.
    """

    def __init__(self, window: float, memory: int) -> None:
        self._window = window
        self._limit = max(1, memory // 2)
        self._sources = Vocabulary()
        self._young = _Generation.empty(FIRST_CAPACITY)
        self._old = _Generation.empty(FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._young.used + self._old.used

    def warm_up(self) -> None:
        """Compile the kernels, or load them from numba's cache, without remembering anything."""
        other = DuplicateFilter(self._window, FIRST_CAPACITY)
        one = np.zeros(1)
        other.remember("", np.zeros(1, np.int64), one, one, [""])
        _grown(other._young, FIRST_CAPACITY)

    def remember(
        self,
        source: str,
        offsets: NDArray[np.int64],
        times: NDArray[np.float64],
        ts: NDArray[np.float64],
        ids: list[str],
    ) -> NDArray[np.bool_]:
        """Remember events of one source partition, given in offset order.

        Returns True where the id is a repeat, shape (n,).
        """
        if not ids:
            return np.zeros(0, np.bool_)
        self._make_room(len(ids), float(times[-1]))
        keys = np.fromiter((xxhash.xxh3_64_intdigest(each.encode()) or 1 for each in ids), np.uint64, len(ids))
        positions = (np.int64(self._sources.number(source)) << OFFSET_BITS) | offsets
        repeated, added = _remember(
            self._young.keys, self._young.positions, self._young.ts,
            self._old.keys, self._old.positions, self._old.ts,
            keys, positions, ts, self._window,
        )  # fmt: skip
        self._young.used += added
        return repeated

    def copy(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the state in pieces; events may be remembered between two of them.

        `models.state.join` makes one state of all pieces. An event that is remembered in between
        may be in the copy or not. That does no harm: when its source is read again, the event is at
        the remembered position, and so is no repeat.
        """
        generations = {"young": self._young, "old": self._old}
        ages = np.array([self._young.since, self._old.since])
        for name, table in generations.items():
            for start in range(0, len(table.keys), PIECE):
                yield nested(**{name: table.piece(start)})
        yield {"since": ages} | pack(self._sources.names, "sources", "source_starts")

    def restore(self, arrays: Arrays) -> None:
        """Replace the state of an empty filter by a joined copy.

        Raises ValueError before it changes anything.
        """
        self._sources.numbers(self.check(arrays))
        young, old = arrays["since"].tolist()
        self._young = _Generation.of(part(arrays, "young"), young)
        self._old = _Generation.of(part(arrays, "old"), old)

    @staticmethod
    def check(arrays: Arrays) -> list[str]:
        """Return the names of the sources.

        Raises ValueError if `restore` could not use the columns.
        """
        sources = unpack(arrays, "sources", "source_starts")
        (since,) = columns(arrays, since=np.float64)
        require(since.shape == (2,) and np.isfinite(since).all(), "event ids come in two dated generations")
        for name in ("young", "old"):
            generation = part(arrays, name)
            keys, positions, ts = columns(generation, keys=np.uint64, positions=np.int64, ts=np.float64)
            require(len(keys) == len(positions) == len(ts), "columns of event ids differ in length")
            require((keys != EMPTY).all(), "an event id is empty")
            known = (positions >= 0) & (positions >> OFFSET_BITS < len(sources))
            require(known.all(), "an event id has no source")
        return sources

    def _make_room(self, n: int, now: float) -> None:
        young = self._young
        if young.used == 0:
            young.since = now
        full = young.used + n > self._limit or now - young.since > self._window
        if young.used and full:
            self._old, self._young = young, _Generation.empty(FIRST_CAPACITY)
            self._young.since = now
        needed = self._young.used + n
        if 2 * needed > len(self._young.keys):
            self._young = _grown(self._young, needed)


def _grown(table: _Generation, needed: int) -> _Generation:
    capacity = FIRST_CAPACITY
    while capacity < 2 * needed:
        capacity *= 2
    grown = _Generation.empty(capacity)
    _move(table.keys, table.positions, table.ts, grown.keys, grown.positions, grown.ts)
    grown.used, grown.since = table.used, table.since
    return grown


@kernel
def _slot(keys: NDArray[np.uint64], key: np.uint64) -> int:
    mask = np.uint64(len(keys) - 1)
    slot = key & mask
    while keys[slot] != EMPTY and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return int(slot)


@kernel
def _remember(  # numba takes arrays, not objects
    young: NDArray[np.uint64],
    young_positions: NDArray[np.int64],
    young_ts: NDArray[np.float64],
    old: NDArray[np.uint64],
    old_positions: NDArray[np.int64],
    old_ts: NDArray[np.float64],
    keys: NDArray[np.uint64],
    positions: NDArray[np.int64],
    ts: NDArray[np.float64],
    window: float,
) -> tuple[NDArray[np.bool_], int]:
    repeated = np.zeros(len(keys), np.bool_)
    added = 0
    for row in range(len(keys)):
        key = keys[row]
        slot = _slot(young, key)
        before = _slot(old, key)
        if young[slot] == key and abs(young_ts[slot] - ts[row]) <= window:
            repeated[row] = young_positions[slot] != positions[row]
        elif young[slot] != key and old[before] == key and abs(old_ts[before] - ts[row]) <= window:
            repeated[row] = old_positions[before] != positions[row]
        if not repeated[row]:
            added += young[slot] != key
            young[slot] = key
            young_positions[slot] = positions[row]
            young_ts[slot] = ts[row]
    return repeated, added


@kernel
def _move(  # numba takes arrays, not objects
    keys: NDArray[np.uint64],
    positions: NDArray[np.int64],
    ts: NDArray[np.float64],
    new_keys: NDArray[np.uint64],
    new_positions: NDArray[np.int64],
    new_ts: NDArray[np.float64],
) -> None:
    for row in range(len(keys)):
        if keys[row] != EMPTY:
            slot = _slot(new_keys, keys[row])
            new_keys[slot] = keys[row]
            new_positions[slot] = positions[row]
            new_ts[slot] = ts[row]

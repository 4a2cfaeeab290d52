"""Find repeated events: exact within bounded memory.

An event is known by a number, which `models.contract.identity` makes; here it is called its id.

An event that is read again at the same offset is not a repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.state import Arrays, columns, nested, pack, part, require, unpack
from models.vocabulary import Vocabulary

OFFSET_BITS = 48  # a position is the source's number above, the offset below
FIRST_CAPACITY = 1 << 12
PIECE = 1 << 16  # slots that are copied at a time: about a millisecond's work
EMPTY = 0
COLUMNS = ("keys", "positions", "ts", "times")


@dataclass(slots=True)
class _Table:
    """An open-addressing table, at most two thirds full; `keys` 0 marks a free slot."""

    keys: NDArray[np.uint64]
    positions: NDArray[np.int64]
    ts: NDArray[np.float64]
    times: NDArray[np.float64]
    used: int = 0

    @classmethod
    def empty(cls, capacity: int) -> "_Table":
        return cls(np.zeros(capacity, np.uint64), np.zeros(capacity, np.int64), np.zeros(capacity), np.zeros(capacity))

    @property
    def room(self) -> int:
        """How many ids it may hold."""
        return len(self.keys) * 2 // 3

    def piece(self, start: int) -> dict[str, NDArray[Any]]:
        """Return the entries in PIECE slots from `start` on."""
        slots = start + np.flatnonzero(self.keys[start : start + PIECE])
        return {name: column[slots] for name, column in self.columns().items()}

    def columns(self) -> dict[str, NDArray[Any]]:
        """All slots, the free ones too."""
        return {"keys": self.keys, "positions": self.positions, "ts": self.ts, "times": self.times}

    def kept(self, newest: int) -> "_Oldest":
        """Return the oldest entry to keep so that `newest` (at least 1) ids remain, by the broker's
        time, then by position.
        """
        slots = np.flatnonzero(self.keys)
        times = self.times[slots]
        if newest >= len(slots):
            return EVERYTHING
        bound = float(np.partition(times, len(slots) - newest)[len(slots) - newest])
        equal = np.sort(self.positions[slots[times == bound]])
        return _Oldest(bound, int(equal[len(equal) - (newest - int(np.count_nonzero(times > bound)))]))


class _Oldest(NamedTuple):
    """The broker's time of the oldest id that is kept, and the lowest position among ids of that
    time.
    """

    time: float
    position: int


EVERYTHING = _Oldest(-np.inf, 0)
NOTHING = _Oldest(np.inf, 0)


class DuplicateFilter:
    """Remembers ids of events, hashes of 64 bits, with the position, event time and broker's time
    of their first appearance.

    An id is a duplicate when it stands at another position with an event time at most `window`
    seconds away. At most `memory` ids are held, more only when a batch has more than half as many.
    When there is no room, those go whose broker's time is more than the window behind the newest;
    where that is not enough, all but the newest `memory / 2`. What is remembered thus does not
    depend on the order in which partitions are read: the `memory / 2` ids that are newest by the
    broker's clock always are, if they are no older than the window. A false match between two ids
    needs equal hashes: below 1e-11 per event at eight million ids.
    """

    def __init__(self, window: float, memory: int) -> None:
        self._window = window
        self._limit = max(1, memory)
        self._sources = Vocabulary()
        self._table = _Table.empty(FIRST_CAPACITY)
        self._newest = -np.inf

    def __len__(self) -> int:
        return self._table.used

    def warm_up(self) -> None:
        """Compile the kernels, or load them from numba's cache, without remembering anything."""
        other = DuplicateFilter(self._window, FIRST_CAPACITY)
        one = np.zeros(1)
        other.remember("", np.zeros(1, np.int64), one, one, np.ones(1, np.uint64))
        _rebuilt(other._table.columns(), FIRST_CAPACITY, EVERYTHING)

    def remember(
        self,
        source: str,
        offsets: NDArray[np.int64],
        times: NDArray[np.float64],
        ts: NDArray[np.float64],
        keys: NDArray[np.uint64],
    ) -> NDArray[np.bool_]:
        """Remember events of one source partition, given in offset order, by their ids `keys`, none
        of which is 0.

        Returns True where the id is a repeat, shape (n,).
        """
        if not len(keys):
            return np.zeros(0, np.bool_)
        self._make_room(len(keys), float(times.max()))
        positions = (np.int64(self._sources.number(source)) << OFFSET_BITS) | offsets
        table = self._table
        repeated, added = _remember(
            table.keys, table.positions, table.ts, table.times, keys, positions, ts, times, self._window
        )
        table.used += added
        return repeated

    def copy(self) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the state in pieces; events may be remembered between two of them.

        `models.state.join` makes one state of all pieces. An event that is remembered in between
        may be in the copy or not. That does no harm: when its source is read again, the event is at
        the remembered position, and so is no repeat.
        """
        table = self._table
        for start in range(0, len(table.keys), PIECE):
            yield nested(ids=table.piece(start))
        yield pack(self._sources.names, "sources", "source_starts")

    def restore(self, arrays: Arrays) -> None:
        """Replace the state of an empty filter by a joined copy.

        Raises ValueError before it changes anything.
        """
        self._sources.numbers(self.check(arrays))
        ids = part(arrays, "ids")
        self._table = _rebuilt(ids, self._capacity(len(ids["keys"])), EVERYTHING)
        self._newest = float(ids["times"].max(initial=-np.inf))

    @staticmethod
    def check(arrays: Arrays) -> list[str]:
        """Return the names of the sources.

        Raises ValueError if `restore` could not use the columns.
        """
        sources = unpack(arrays, "sources", "source_starts")
        keys, positions, ts, times = columns(
            part(arrays, "ids"), keys=np.uint64, positions=np.int64, ts=np.float64, times=np.float64
        )
        require(len(keys) == len(positions) == len(ts) == len(times), "columns of event ids differ in length")
        require((keys != EMPTY).all(), "an event id is empty")
        require(np.isfinite(times).all(), "an event id has no time")
        known = (positions >= 0) & (positions >> OFFSET_BITS < len(sources))
        require(known.all(), "an event id has no source")
        return sources

    def _make_room(self, n: int, newest: float) -> None:
        self._newest = max(self._newest, newest)
        table = self._table
        if table.used + n <= min(self._limit, table.room):
            return
        oldest = _Oldest(self._newest - self._window, 0)
        count = int(np.count_nonzero(table.times[table.keys != EMPTY] >= oldest.time))
        if count + n > self._limit:
            # Half of the memory is given up at a time, so that it does not have to be done again
            # with the next batch.
            count = min(count, self._limit // 2)
            oldest = table.kept(count) if count else NOTHING
        self._table = _rebuilt(table.columns(), self._capacity(count + n), oldest)

    def _capacity(self, needed: int) -> int:
        """Return the number of slots for twice the ids, within the memory."""
        return min(_slots_for(2 * needed), _slots_for(max(self._limit, needed)))


def _slots_for(ids: int) -> int:
    capacity = FIRST_CAPACITY
    while capacity * 2 // 3 < ids:
        capacity *= 2
    return capacity


def _rebuilt(entries: Arrays, capacity: int, oldest: _Oldest) -> _Table:
    """Return a table of `capacity` slots with the entries that are not older than the bound."""
    keys, positions, ts, times = (np.array(entries[name], copy=None) for name in COLUMNS)
    table = _Table.empty(capacity)
    table.used = _move(
        keys, positions, ts, times, oldest.time, oldest.position, table.keys, table.positions, table.ts, table.times
    )
    return table


@kernel
def _slot(keys: NDArray[np.uint64], key: np.uint64) -> int:
    mask = np.uint64(len(keys) - 1)
    slot = key & mask
    while keys[slot] != EMPTY and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return int(slot)


@kernel
def _remember(  # numba takes arrays, not objects
    known: NDArray[np.uint64],
    known_positions: NDArray[np.int64],
    known_ts: NDArray[np.float64],
    known_times: NDArray[np.float64],
    keys: NDArray[np.uint64],
    positions: NDArray[np.int64],
    ts: NDArray[np.float64],
    times: NDArray[np.float64],
    window: float,
) -> tuple[NDArray[np.bool_], int]:
    repeated = np.zeros(len(keys), np.bool_)
    added = 0
    for row in range(len(keys)):
        key = keys[row]
        slot = _slot(known, key)
        if known[slot] == key and abs(known_ts[slot] - ts[row]) <= window:
            repeated[row] = known_positions[slot] != positions[row]
        if not repeated[row]:
            added += known[slot] != key
            known[slot] = key
            known_positions[slot] = positions[row]
            known_ts[slot] = ts[row]
            known_times[slot] = times[row]
    return repeated, added


@kernel
def _move(  # numba takes arrays, not objects
    keys: NDArray[np.uint64],
    positions: NDArray[np.int64],
    ts: NDArray[np.float64],
    times: NDArray[np.float64],
    oldest_time: float,
    lowest_position: int,
    new_keys: NDArray[np.uint64],
    new_positions: NDArray[np.int64],
    new_ts: NDArray[np.float64],
    new_times: NDArray[np.float64],
) -> int:
    moved = 0
    for row in range(len(keys)):
        if keys[row] == EMPTY or times[row] < oldest_time:
            continue
        if times[row] == oldest_time and positions[row] < lowest_position:
            continue
        slot = _slot(new_keys, keys[row])
        new_keys[slot] = keys[row]
        new_positions[slot] = positions[row]
        new_ts[slot] = ts[row]
        new_times[slot] = times[row]
        moved += 1
    return moved

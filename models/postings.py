"""The writing half of the neighbour index: time-sorted lists in arenas, kept by compiled kernels.

Every list is a ring inside one block of an arena; blocks have 4, 8, 16, … cells and are used again once freed. A list
keeps the entries with the largest (ts, key), and an entry's ts only ever grows, so what a list holds is a function of
the set of events and not of their order (a join semilattice).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

SMALLEST_BLOCK = 4
CLASSES = 24

# Places in `Index.counters`.
OPENED = 0
CLOSED = 1


class Lists(NamedTuple):
    """Lists of (id, ts), ascending by (ts, key of id); owner o's entry i is in cell base[o] + (head[o] + i) % room[o]."""

    ids: NDArray[np.int64]
    ts: NDArray[np.float64]
    base: NDArray[np.int64]
    head: NDArray[np.int32]
    size: NDArray[np.int32]
    room: NDArray[np.int32]
    free: NDArray[np.int64]
    end: NDArray[np.int64]


class Index(NamedTuple):
    """All state: sessions of each item, items of each session, and the map from session hash to session number.

    Sessions are numbered as they open; session number s lives in slot s % slots, and is gone once s < counters[CLOSED].
    """

    postings: Lists
    sessions: Lists
    session_keys: NDArray[np.uint64]
    item_keys: NDArray[np.uint64]
    table: NDArray[np.int64]
    counters: NDArray[np.int64]


class Limits(NamedTuple):
    """Postings of an item, items of a session, and slots; the largest blocks follow from the first two."""

    postings: int
    items: int
    slots: int


@kernel
def update(
    index: Index,
    limits: Limits,
    sessions: NDArray[np.uint64],
    items: NDArray[np.int64],
    ts: NDArray[np.float64],
    start: int,
) -> int:
    """Learn the events from `start` on; returns where it stopped for want of room, or the number of events."""
    for i in range(start, len(ts)):
        session = _find_session(index, sessions[i])
        if _lacks_room(index, limits, session < 0):
            return i
        if session < 0:
            session = _open_session(index, limits, sessions[i])
        _learn(index, limits, session, items[i], ts[i])
    return len(ts)


@kernel
def find_sessions(index: Index, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The numbers of the sessions with these hashes, -1 for those not in the index or for hash 0; shape (n,)."""
    found = np.full(len(keys), -1, np.int64)
    for i in range(len(keys)):
        if keys[i] != 0:
            found[i] = _find_session(index, keys[i])
    return found


@kernel
def refill_table(index: Index) -> None:
    """Enter all open sessions into an emptied table."""
    for session in range(index.counters[CLOSED], index.counters[OPENED]):
        _enter(index, session)


@kernel
def _learn(index: Index, limits: Limits, session: int, item: int, ts: float) -> None:
    slot = session & (len(index.session_keys) - 1)
    place = _place(index.sessions, slot, item)
    if place >= 0:
        before = index.sessions.ts[_cell(index.sessions, slot, place)]
        if ts <= before:
            return
        _remove(index.sessions, slot, place)
        posting = _search(index.postings, item, session, before)
    else:
        # Only a full session can have held the item before without showing it.
        full = index.sessions.size[slot] == limits.items
        posting = _place(index.postings, item, session) if full else -1
        if posting >= 0 and ts <= index.postings.ts[_cell(index.postings, item, posting)]:
            return
    if posting >= 0:
        _remove(index.postings, item, posting)
    _insert(index.sessions, slot, item, ts, index.item_keys, limits.items)
    _insert(index.postings, item, session, ts, index.session_keys, limits.postings)


@kernel
def _insert(lists: Lists, owner: int, entry: int, ts: float, keys: NDArray[np.uint64], limit: int) -> None:
    mask = len(keys) - 1
    size = lists.size[owner]
    if size == limit:
        first = _cell(lists, owner, 0)
        if not _comes_before(lists, first, ts, keys[entry & mask], keys):
            return
        lists.head[owner] = (lists.head[owner] + 1) & (lists.room[owner] - 1)
        size -= 1
    elif size == lists.room[owner]:
        _grow(lists, owner)
    place = size
    while place > 0:
        below = _cell(lists, owner, place - 1)
        if _comes_before(lists, below, ts, keys[entry & mask], keys):
            break
        _copy(lists, below, _cell(lists, owner, place))
        place -= 1
    cell = _cell(lists, owner, place)
    lists.ids[cell] = entry
    lists.ts[cell] = ts
    lists.size[owner] = size + 1


@kernel
def _comes_before(lists: Lists, cell: int, ts: float, key: int, keys: NDArray[np.uint64]) -> bool:
    if lists.ts[cell] != ts:
        return lists.ts[cell] < ts
    return keys[lists.ids[cell] & (len(keys) - 1)] < key


@kernel
def _remove(lists: Lists, owner: int, place: int) -> None:
    size = lists.size[owner]
    if place == 0:
        lists.head[owner] = (lists.head[owner] + 1) & (lists.room[owner] - 1)
    else:
        for i in range(place + 1, size):
            _copy(lists, _cell(lists, owner, i), _cell(lists, owner, i - 1))
    lists.size[owner] = size - 1


@kernel
def _place(lists: Lists, owner: int, entry: int) -> int:
    for i in range(lists.size[owner] - 1, -1, -1):
        if lists.ids[_cell(lists, owner, i)] == entry:
            return i
    return -1


@kernel
def _search(lists: Lists, owner: int, entry: int, ts: float) -> int:
    low, high = 0, lists.size[owner]
    while low < high:
        middle = (low + high) // 2
        if lists.ts[_cell(lists, owner, middle)] < ts:
            low = middle + 1
        else:
            high = middle
    for i in range(low, lists.size[owner]):
        cell = _cell(lists, owner, i)
        if lists.ts[cell] != ts:
            return -1
        if lists.ids[cell] == entry:
            return i
    return -1


@kernel
def _cell(lists: Lists, owner: int, place: int) -> int:
    return lists.base[owner] + ((lists.head[owner] + place) & (lists.room[owner] - 1))


@kernel
def _copy(lists: Lists, source: int, target: int) -> None:
    lists.ids[target] = lists.ids[source]
    lists.ts[target] = lists.ts[source]


@kernel
def _grow(lists: Lists, owner: int) -> None:
    room = max(SMALLEST_BLOCK, 2 * lists.room[owner])
    base = _take_block(lists, room)
    for i in range(lists.size[owner]):
        _copy(lists, _cell(lists, owner, i), base + i)
    _free_block(lists, owner)
    lists.base[owner] = base
    lists.room[owner] = room


@kernel
def _take_block(lists: Lists, room: int) -> int:
    kind = _class_of(room)
    block = lists.free[kind]
    if block >= 0:
        lists.free[kind] = lists.ids[block]
        return block
    block = lists.end[0]
    lists.end[0] = block + room
    return block


@kernel
def _free_block(lists: Lists, owner: int) -> None:
    if lists.room[owner] > 0:
        # Free blocks are chained through the id in their first cell.
        kind = _class_of(lists.room[owner])
        lists.ids[lists.base[owner]] = lists.free[kind]
        lists.free[kind] = lists.base[owner]
    lists.room[owner] = 0
    lists.head[owner] = 0


@kernel
def _class_of(room: int) -> int:
    kind = 0
    while SMALLEST_BLOCK << kind < room:
        kind += 1
    return kind


@kernel
def _lacks_room(index: Index, limits: Limits, opens: bool) -> bool:
    if index.postings.end[0] + 2 * limits.postings + SMALLEST_BLOCK > len(index.postings.ids):
        return True
    if index.sessions.end[0] + 2 * limits.items + SMALLEST_BLOCK > len(index.sessions.ids):
        return True
    slots = len(index.session_keys)
    return opens and slots < limits.slots and index.counters[OPENED] == slots


@kernel
def _open_session(index: Index, limits: Limits, key: int) -> int:
    if index.counters[OPENED] - index.counters[CLOSED] == limits.slots:
        _close_oldest(index)
    session = index.counters[OPENED]
    index.counters[OPENED] = session + 1
    index.session_keys[session & (len(index.session_keys) - 1)] = key
    _enter(index, session)
    return session


@kernel
def _close_oldest(index: Index) -> None:
    session = index.counters[CLOSED]
    slot = session & (len(index.session_keys) - 1)
    for i in range(index.sessions.size[slot]):
        cell = _cell(index.sessions, slot, i)
        item = index.sessions.ids[cell]
        place = _search(index.postings, item, session, index.sessions.ts[cell])
        if place >= 0:
            _remove(index.postings, item, place)
        if index.postings.size[item] == 0:
            _free_block(index.postings, item)
    index.sessions.size[slot] = 0
    _free_block(index.sessions, slot)
    _leave(index, slot)
    index.counters[CLOSED] = session + 1


@kernel
def _find_session(index: Index, key: int) -> int:
    mask = len(index.table) - 1
    place = _home(index, key)
    while index.table[place] >= 0:
        session = index.table[place]
        if index.session_keys[session & (len(index.session_keys) - 1)] == key:
            return session
        place = (place + 1) & mask
    return -1


@kernel
def _home(index: Index, key: int) -> int:
    # Fibonacci hashing: also hashes of poor quality spread over the table.
    mixed = np.uint64(key) * np.uint64(11400714819323198485)
    return np.int64(mixed >> np.uint64(32)) & (len(index.table) - 1)


@kernel
def _enter(index: Index, session: int) -> None:
    mask = len(index.table) - 1
    place = _home(index, index.session_keys[session & (len(index.session_keys) - 1)])
    while index.table[place] >= 0:
        place = (place + 1) & mask
    index.table[place] = session


@kernel
def _leave(index: Index, slot: int) -> None:
    mask, slots = len(index.table) - 1, len(index.session_keys)
    hole = _home(index, index.session_keys[slot])
    while index.table[hole] & (slots - 1) != slot or index.table[hole] < 0:
        hole = (hole + 1) & mask
    # Linear probing without tombstones: move back whatever may fill the hole.
    place = (hole + 1) & mask
    while index.table[place] >= 0:
        home = _home(index, index.session_keys[index.table[place] & (slots - 1)])
        if ((place - home) & mask) >= ((place - hole) & mask):
            index.table[hole] = index.table[place]
            hole = place
        place = (place + 1) & mask
    index.table[hole] = -1

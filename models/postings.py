"""The writing half of the neighbour index: time-sorted lists in arenas, kept by compiled kernels.

Every list is a ring inside one block of an arena; blocks have 4, 8, 16, … cells and are used again once
freed. A list keeps the entries with the largest (ts, key), and an entry's ts only ever grows, so what a
list holds is a function of the set of events and not of their order (a join semilattice).
"""

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.neighbour_arrays import CLOSED, OPENED, SMALLEST_BLOCK, Events, Index, Lists


@kernel
def update(index: Index, events: Events, start: int) -> int:
    """Learn the events from `start` on; returns where it stopped for want of room, or their number."""
    for i in range(start, len(events.ts)):
        session = _find_session(index, events.sessions[i])
        if _lacks_room(index, session < 0):
            return i
        if session < 0:
            session = _open_session(index, events.sessions[i])
        _learn(index, session, events.items[i], events.ts[i])
    return len(events.ts)


@kernel
def find_sessions(index: Index, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The numbers of the sessions with these hashes, -1 for unknown ones and hash 0; shape (n,)."""
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
def _learn(index: Index, session: int, item: int, ts: float) -> None:
    slot = session & (len(index.postings.keys) - 1)
    place = _place(index.sessions, slot, item)
    if place >= 0:
        before = index.sessions.cells[_cell(index.sessions, slot, place)].ts
        if ts <= before:
            return
        _remove(index.sessions, slot, place)
        posting = _search(index.postings, item, session, before)
    else:
        # Only a full session can have held the item before without showing it.
        full = index.sessions.owners[slot].size == index.sessions.limit
        posting = _place(index.postings, item, session) if full else -1
        if posting >= 0 and ts <= index.postings.cells[_cell(index.postings, item, posting)].ts:
            return
    if posting >= 0:
        _remove(index.postings, item, posting)
    _insert(index.sessions, slot, item, ts)
    _insert(index.postings, item, session, ts)


@kernel
def _insert(lists: Lists, owner: int, entry: int, ts: float) -> None:
    size = lists.owners[owner].size
    if size == lists.limit:
        first = _cell(lists, owner, 0)
        if not _comes_before(lists, first, entry, ts):
            return
        lists.owners[owner].head = (lists.owners[owner].head + 1) & (lists.owners[owner].room - 1)
        size -= 1
    elif size == lists.owners[owner].room:
        _grow(lists, owner)
    place = size
    while place > 0:
        below = _cell(lists, owner, place - 1)
        if _comes_before(lists, below, entry, ts):
            break
        _copy(lists, below, _cell(lists, owner, place))
        place -= 1
    cell = _cell(lists, owner, place)
    lists.cells[cell].id = entry
    lists.cells[cell].ts = ts
    lists.owners[owner].size = size + 1


@kernel
def _comes_before(lists: Lists, cell: int, entry: int, ts: float) -> bool:
    if lists.cells[cell].ts != ts:
        return bool(lists.cells[cell].ts < ts)
    mask = len(lists.keys) - 1
    return bool(lists.keys[lists.cells[cell].id & mask] < lists.keys[entry & mask])


@kernel
def _remove(lists: Lists, owner: int, place: int) -> None:
    size = lists.owners[owner].size
    if place == 0:
        lists.owners[owner].head = (lists.owners[owner].head + 1) & (lists.owners[owner].room - 1)
    else:
        for i in range(place + 1, size):
            _copy(lists, _cell(lists, owner, i), _cell(lists, owner, i - 1))
    lists.owners[owner].size = size - 1


@kernel
def _place(lists: Lists, owner: int, entry: int) -> int:
    for i in range(lists.owners[owner].size - 1, -1, -1):
        if lists.cells[_cell(lists, owner, i)].id == entry:
            return i
    return -1


@kernel
def _search(lists: Lists, owner: int, entry: int, ts: float) -> int:
    low, high = 0, lists.owners[owner].size
    while low < high:
        middle = (low + high) // 2
        if lists.cells[_cell(lists, owner, middle)].ts < ts:
            low = middle + 1
        else:
            high = middle
    for i in range(low, lists.owners[owner].size):
        cell = _cell(lists, owner, i)
        if lists.cells[cell].ts != ts:
            return -1
        if lists.cells[cell].id == entry:
            return i
    return -1


@kernel
def _cell(lists: Lists, owner: int, place: int) -> int:
    return int(lists.owners[owner].base + ((lists.owners[owner].head + place) & (lists.owners[owner].room - 1)))


@kernel
def _copy(lists: Lists, source: int, target: int) -> None:
    lists.cells[target] = lists.cells[source]


@kernel
def _grow(lists: Lists, owner: int) -> None:
    room = max(SMALLEST_BLOCK, 2 * lists.owners[owner].room)
    base = _take_block(lists, room)
    for i in range(lists.owners[owner].size):
        _copy(lists, _cell(lists, owner, i), base + i)
    _free_block(lists, owner)
    lists.owners[owner].base = base
    lists.owners[owner].room = room


@kernel
def _take_block(lists: Lists, room: int) -> int:
    kind = _class_of(room)
    block = lists.free[kind]
    if block >= 0:
        lists.free[kind] = lists.cells[block].id
        return int(block)
    block = lists.end[0]
    lists.end[0] = block + room
    return int(block)


@kernel
def _free_block(lists: Lists, owner: int) -> None:
    if lists.owners[owner].room > 0:
        # Free blocks are chained through the id in their first cell.
        kind = _class_of(lists.owners[owner].room)
        lists.cells[lists.owners[owner].base].id = lists.free[kind]
        lists.free[kind] = lists.owners[owner].base
    lists.owners[owner].room = 0
    lists.owners[owner].head = 0


@kernel
def _class_of(room: int) -> int:
    kind = 0
    while SMALLEST_BLOCK << kind < room:
        kind += 1
    return kind


@kernel
def _lacks_room(index: Index, opens: bool) -> bool:
    slots = len(index.postings.keys)
    if opens and slots < index.limit and index.counters[OPENED] == slots:
        return True
    return _is_nearly_full(index.postings) or _is_nearly_full(index.sessions)


@kernel
def _is_nearly_full(lists: Lists) -> bool:
    return bool(lists.end[0] + 2 * lists.limit + SMALLEST_BLOCK > len(lists.cells))


@kernel
def _open_session(index: Index, key: int) -> int:
    if index.counters[OPENED] - index.counters[CLOSED] == index.limit:
        _close_oldest(index)
    session = index.counters[OPENED]
    index.counters[OPENED] = session + 1
    index.postings.keys[session & (len(index.postings.keys) - 1)] = key
    _enter(index, session)
    return int(session)


@kernel
def _close_oldest(index: Index) -> None:
    session = index.counters[CLOSED]
    slot = session & (len(index.postings.keys) - 1)
    for i in range(index.sessions.owners[slot].size):
        cell = _cell(index.sessions, slot, i)
        item = index.sessions.cells[cell].id
        place = _search(index.postings, item, session, index.sessions.cells[cell].ts)
        if place >= 0:
            _remove(index.postings, item, place)
        if index.postings.owners[item].size == 0:
            _free_block(index.postings, item)
    index.sessions.owners[slot].size = 0
    _free_block(index.sessions, slot)
    _leave(index, slot)
    index.counters[CLOSED] = session + 1


@kernel
def _find_session(index: Index, key: int) -> int:
    mask = len(index.table) - 1
    place = _home(index, key)
    while index.table[place] >= 0:
        session = index.table[place]
        if index.postings.keys[session & (len(index.postings.keys) - 1)] == key:
            return int(session)
        place = (place + 1) & mask
    return -1


@kernel
def _home(index: Index, key: int) -> int:
    # Fibonacci hashing: also hashes of poor quality spread over the table.
    mixed = np.uint64(key) * np.uint64(11400714819323198485)
    return int(np.int64(mixed >> np.uint64(32))) & (len(index.table) - 1)


@kernel
def _enter(index: Index, session: int) -> None:
    mask = len(index.table) - 1
    place = _home(index, index.postings.keys[session & (len(index.postings.keys) - 1)])
    while index.table[place] >= 0:
        place = (place + 1) & mask
    index.table[place] = session


@kernel
def _leave(index: Index, slot: int) -> None:
    mask, slots = len(index.table) - 1, len(index.postings.keys)
    hole = _home(index, index.postings.keys[slot])
    while index.table[hole] & (slots - 1) != slot or index.table[hole] < 0:
        hole = (hole + 1) & mask
    # Linear probing without tombstones: move back whatever may fill the hole.
    place = (hole + 1) & mask
    while index.table[place] >= 0:
        home = _home(index, index.postings.keys[index.table[place] & (slots - 1)])
        if ((place - home) & mask) >= ((place - hole) & mask):
            index.table[hole] = index.table[place]
            hole = place
        place = (place + 1) & mask
    index.table[hole] = -1

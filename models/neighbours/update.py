"""Update the neighbour index: time-sorted lists in arenas, kept by compiled kernels.

Every list is a ring inside one block of an arena. Blocks have 4, 8, 16, … cells and are used again
once freed. A session keeps the entries with the largest (ts, key), and an entry's ts only ever
grows. So what it holds is a function of the set of events and not of their order (a join
semilattice). The postings of an item are all sessions that hold it, so the same is true of them.
Postings cut to the newest could not be filled up again once a session drops the item.
"""

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.neighbours.arrays import CLOSED, OPENED, SMALLEST_BLOCK, Events, Index, Lists


@kernel
def update(index: Index, events: Events, start: int) -> int:
    """Learn the events from `start` on.

    Returns their number, or the place where it stopped for want of room.
    """
    for i in range(start, len(events.ts)):
        session = _find_session(index, events.sessions[i])
        if _lacks_room(index, session, events.items[i]):
            return i
        if session < 0:
            session = _open_session(index, events.sessions[i])
        _learn(index, session, events.items[i], events.ts[i])
    return len(events.ts)


@kernel
def find_sessions(index: Index, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the numbers of the sessions with these hashes, shape (n,).

    The number is -1 for an unknown session and for hash 0.
    """
    found = np.full(len(keys), -1, np.int64)
    for i in range(len(keys)):
        if keys[i] != 0:
            found[i] = _find_session(index, keys[i])
    return found


@kernel
def empty_sessions(index: Index, sessions: NDArray[np.int64]) -> None:
    """Remove all items from the sessions with these numbers."""
    for session in sessions:
        while index.sessions.owners[session & (len(index.postings.keys) - 1)].size > 0:
            drop_entry(index, session, 0)


@kernel
def refill_table(index: Index) -> None:
    """Enter all open sessions into an emptied table."""
    for session in range(index.counters[CLOSED], index.counters[OPENED]):
        _enter(index, session)


@kernel
def _learn(index: Index, session: int, item: int, ts: float) -> None:
    sessions, slot = index.sessions, session & (len(index.postings.keys) - 1)
    place = _place(sessions, slot, item)
    if place >= 0:
        if ts <= sessions.cells[_cell(sessions, slot, place)].ts:
            return
        drop_entry(index, session, place)
    elif sessions.owners[slot].size == sessions.limit:
        if not _comes_before(sessions, _cell(sessions, slot, 0), item, ts):
            return
        drop_entry(index, session, 0)
    _insert(sessions, slot, item, ts)
    _insert(index.postings, item, session, ts)


@kernel
def drop_entry(index: Index, session: int, place: int) -> None:
    """Remove an item from a session, and the session from the item."""
    slot = session & (len(index.postings.keys) - 1)
    cell = _cell(index.sessions, slot, place)
    item, ts = index.sessions.cells[cell].id, index.sessions.cells[cell].ts
    _remove(index.postings, item, _lower_bound(index.postings, item, session, ts))
    _remove(index.sessions, slot, place)
    _shrink(index.postings, item)


@kernel
def _insert(lists: Lists, owner: int, entry: int, ts: float) -> None:
    size = lists.owners[owner].size
    if size == lists.owners[owner].room:
        _grow(lists, owner)
    place = _lower_bound(lists, owner, entry, ts)
    # A ring can grow at either end: the shorter part moves.
    if place < size - place:
        lists.owners[owner].head = (lists.owners[owner].head - 1) & (lists.owners[owner].room - 1)
        for i in range(place):
            _copy(lists, _cell(lists, owner, i + 1), _cell(lists, owner, i))
    else:
        for i in range(size, place, -1):
            _copy(lists, _cell(lists, owner, i - 1), _cell(lists, owner, i))
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
    if place < size - place:
        for i in range(place, 0, -1):
            _copy(lists, _cell(lists, owner, i - 1), _cell(lists, owner, i))
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
def _lower_bound(lists: Lists, owner: int, entry: int, ts: float) -> int:
    """Return the entry's place, or the place where it would be inserted."""
    low, high = 0, lists.owners[owner].size
    # Nearly every event is newer than all before it.
    if high > 0 and _comes_before(lists, _cell(lists, owner, high - 1), entry, ts):
        return int(high)
    while low < high:
        middle = (low + high) // 2
        if _comes_before(lists, _cell(lists, owner, middle), entry, ts):
            low = middle + 1
        else:
            high = middle
    return int(low)


@kernel
def _cell(lists: Lists, owner: int, place: int) -> int:
    return int(lists.owners[owner].base + ((lists.owners[owner].head + place) & (lists.owners[owner].room - 1)))


@kernel
def _copy(lists: Lists, source: int, target: int) -> None:
    lists.cells[target] = lists.cells[source]


@kernel
def _grow(lists: Lists, owner: int) -> None:
    _move(lists, owner, max(SMALLEST_BLOCK, 2 * lists.owners[owner].room))


@kernel
def _shrink(lists: Lists, owner: int) -> None:
    """Give back room that a list no longer needs, so that memory does not grow with time."""
    size, room = lists.owners[owner].size, lists.owners[owner].room
    if size == 0:
        _free_block(lists, owner)
    # Only into a block that is free already: the arena's end is kept for lists that grow.
    elif room > SMALLEST_BLOCK and 4 * size <= room and lists.free[_class_of(room // 2)] >= 0:
        _move(lists, owner, room // 2)


@kernel
def _move(lists: Lists, owner: int, room: int) -> None:
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
def _lacks_room(index: Index, session: int, item: int) -> bool:
    slots = len(index.postings.keys)
    if session < 0 and slots < index.limit and index.counters[OPENED] == slots:
        return True
    room = index.sessions.owners[session & (slots - 1)].room if session >= 0 else 0
    return _cannot_grow(index.sessions, room) or _cannot_grow(index.postings, index.postings.owners[item].room)


@kernel
def _cannot_grow(lists: Lists, room: int) -> bool:
    return bool(lists.end[0] + max(SMALLEST_BLOCK, 2 * room) > len(lists.cells))


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
    for place in range(index.sessions.owners[slot].size - 1, -1, -1):
        drop_entry(index, session, place)
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
    # Fibonacci hashing spreads also hashes of poor quality over the table.
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
    # Linear probing without tombstones: move back each entry that may fill the hole.
    place = (hole + 1) & mask
    while index.table[place] >= 0:
        home = _home(index, index.postings.keys[index.table[place] & (slots - 1)])
        if ((place - home) & mask) >= ((place - hole) & mask):
            index.table[hole] = index.table[place]
            hole = place
        place = (place + 1) & mask
    index.table[hole] = -1

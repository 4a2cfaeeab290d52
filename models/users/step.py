"""The compiled step of a batch: sessions, recent and bought items, counts and applied offsets of
its users.

The result depends neither on the order of events between sources nor on how they are cut into
batches: every list keeps the largest entries by (time, kind, name), an item's entry only grows, and
counts decay by event time.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Kind
from models.kernel import kernel
from models.profile import SESSION_SECONDS
from models.users.arrays import (
    APPLIED,
    BOUGHT,
    END,
    LISTS,
    OPENED,
    RECENT,
    SMALLEST_BLOCK,
    START,
    Names,
    ProfileLimits,
    Steps,
    UserArrays,
)

NO_ROOM = -1
ORDER = int(Kind.ORDER)  # compiled code takes numbers


@kernel
def advance(users: UserArrays, names: Names, limits: ProfileLimits, steps: Steps, first: int) -> int:
    """Apply the events from `first` on; returns where it stopped for want of room, or their number.

    An event that is contained already only finds its session.
    """
    for row in range(first, len(steps.slots)):
        slot = steps.slots[row]
        if _lacks_room(users, slot):
            return row
        ts, offset = steps.ts[row], float(steps.offsets[row])
        is_new = offset > _applied(users, slot, steps.source)
        if not steps.named[row]:
            steps.opened[row] = locate_session(users.session[slot], ts, is_new)
        if is_new:
            _set_applied(users, slot, steps, offset)
            _see(users, names, LISTS * slot + RECENT, steps.items[row], steps.kind, ts, limits.recent)
            if steps.kind == ORDER:
                _see(users, names, LISTS * slot + BOUGHT, steps.items[row], steps.kind, ts, limits.bought)
            _count(users, slot, steps.kind, ts, limits.rate)
    return len(steps.slots)


@kernel
def mark_applied(users: UserArrays, steps: Steps) -> int:
    """Note that the first event is contained. Returns 1 if it was not, else 0; NO_ROOM, and no
    effect, for want of room.
    """
    slot, offset = steps.slots[0], float(steps.offsets[0])
    if _lacks_room(users, slot):
        return NO_ROOM
    if offset <= _applied(users, slot, steps.source):
        return 0
    _set_applied(users, slot, steps, offset)
    return 1


@kernel
def put_list(
    users: UserArrays, block: int, ids: NDArray[np.int32], kinds: NDArray[np.int32], values: NDArray[np.float64]
) -> bool:
    """Fill an empty list; False, and no effect, for want of room."""
    if len(ids) == 0:
        return True
    room = SMALLEST_BLOCK
    while room < len(ids):
        room *= 2
    if users.end[0] + room > len(users.entries):
        return False
    users.blocks[block].base = _take_block(users, room)
    users.blocks[block].room = room
    users.blocks[block].size = len(ids)
    for i in range(len(ids)):
        entry = users.blocks[block].base + i
        users.entries[entry].id = ids[i]
        users.entries[entry].kind = kinds[i]
        users.entries[entry].value = values[i]
    return True


@kernel
def release(users: UserArrays, slots: NDArray[np.int32]) -> None:
    """Empty these slots."""
    for slot in slots:
        for which in range(LISTS):
            _free_block(users, LISTS * slot + which)
        users.counts[slot, :] = 0.0
        users.counted_at[slot] = 0.0
        users.session[slot, :] = np.nan


@kernel
def _applied(users: UserArrays, slot: int, source: int) -> float:
    block = users.blocks[LISTS * slot + APPLIED]
    for i in range(block.base, block.base + block.size):
        if users.entries[i].id == source:
            return float(users.entries[i].value)
    return -1.0


@kernel
def _set_applied(users: UserArrays, slot: int, steps: Steps, offset: float) -> None:
    block = LISTS * slot + APPLIED
    base, size = users.blocks[block].base, users.blocks[block].size
    for i in range(base, base + size):
        if users.entries[i].id == steps.source:
            users.entries[i].value = offset
            return
    # What was applied of a former log of the partition will not come again.
    kept = 0
    for i in range(base, base + size):
        if steps.places[users.entries[i].id] != steps.places[steps.source]:
            users.entries[base + kept] = users.entries[i]
            kept += 1
    users.blocks[block].size = kept
    if kept == users.blocks[block].room:
        _grow(users, block)
    entry = users.blocks[block].base + kept
    users.entries[entry].id = steps.source
    users.entries[entry].kind = 0
    users.entries[entry].value = offset
    users.blocks[block].size = kept + 1


@kernel
def locate_session(session: NDArray[np.float64], ts: float, is_new: bool) -> float:
    """The time that names the session of an event without a session id; `session` is a row of
    `UserArrays.session`, which moves on if the event `is_new`.

    An event from before the open session is a session of its own: the right one is long closed.
    """
    if math.isnan(session[OPENED]) or ts > session[END] + SESSION_SECONDS:
        if is_new:
            session[:] = ts
        return ts
    if ts < session[START] - SESSION_SECONDS:
        return ts
    if is_new:
        session[START] = min(session[START], ts)
        session[END] = max(session[END], ts)
    return float(session[OPENED])


@kernel
def _count(users: UserArrays, slot: int, kind: int, ts: float, rate: float) -> None:
    age = ts - users.counted_at[slot]
    if age > 0:
        faded = math.exp(-age * rate)
        for each in range(users.counts.shape[1]):
            users.counts[slot, each] *= faded
        users.counted_at[slot] = ts
        users.counts[slot, kind] += 1.0
    else:
        users.counts[slot, kind] += math.exp(age * rate)


@kernel
def _see(users: UserArrays, names: Names, block: int, item: int, kind: int, ts: float, limit: int) -> None:
    """Let the list hold the item once with its largest (time, kind), and no more than `limit`
    items.
    """
    base, size = users.blocks[block].base, users.blocks[block].size
    at = 0
    while at < size and users.entries[base + at].id != item:
        at += 1
    if at < size and not _is_newer(users, base + at, kind, ts):
        return
    place = 0
    while place < at and _comes_before(users, names, base + place, item, kind, ts):
        place += 1
    if at == size:
        if place >= limit:
            return
        if size < limit:
            if size == users.blocks[block].room:
                _grow(users, block)
                base = users.blocks[block].base
            users.blocks[block].size = size + 1
        else:
            at = size - 1
    for i in range(at, place, -1):
        users.entries[base + i] = users.entries[base + i - 1]
    users.entries[base + place].id = item
    users.entries[base + place].kind = kind
    users.entries[base + place].value = ts


@kernel
def _is_newer(users: UserArrays, entry: int, kind: int, ts: float) -> bool:
    if users.entries[entry].value != ts:
        return bool(ts > users.entries[entry].value)
    return bool(kind > users.entries[entry].kind)


@kernel
def _comes_before(users: UserArrays, names: Names, entry: int, item: int, kind: int, ts: float) -> bool:
    """Whether the entry is larger than a new one by (time, kind, name)."""
    if users.entries[entry].value != ts:
        return bool(users.entries[entry].value > ts)
    if users.entries[entry].kind != kind:
        return bool(users.entries[entry].kind > kind)
    one, other = users.entries[entry].id, item
    start, end = names.starts[one], names.starts[one + 1]
    other_start, other_end = names.starts[other], names.starts[other + 1]
    for i in range(min(end - start, other_end - other_start)):
        if names.text[start + i] != names.text[other_start + i]:
            return bool(names.text[start + i] > names.text[other_start + i])
    return bool(end - start > other_end - other_start)


@kernel
def _lacks_room(users: UserArrays, slot: int) -> bool:
    needed = 0
    for which in range(LISTS):
        needed += max(SMALLEST_BLOCK, 2 * users.blocks[LISTS * slot + which].room)
    return bool(users.end[0] + needed > len(users.entries))


@kernel
def _grow(users: UserArrays, block: int) -> None:
    room, size = max(SMALLEST_BLOCK, 2 * users.blocks[block].room), users.blocks[block].size
    base, old = _take_block(users, room), users.blocks[block].base
    for i in range(size):
        users.entries[base + i] = users.entries[old + i]
    _free_block(users, block)
    users.blocks[block].base = base
    users.blocks[block].room = room
    users.blocks[block].size = size


@kernel
def _take_block(users: UserArrays, room: int) -> int:
    kind = _class_of(room)
    base = users.free[kind]
    if base >= 0:
        users.free[kind] = np.int64(users.entries[base].value)
        return int(base)
    base = users.end[0]
    users.end[0] = base + room
    return int(base)


@kernel
def _free_block(users: UserArrays, block: int) -> None:
    if users.blocks[block].room > 0:
        # Free blocks are chained through the value of their first entry.
        kind = _class_of(users.blocks[block].room)
        users.entries[users.blocks[block].base].value = float(users.free[kind])
        users.free[kind] = users.blocks[block].base
    users.blocks[block].room = 0
    users.blocks[block].size = 0


@kernel
def _class_of(room: int) -> int:
    kind = 0
    while SMALLEST_BLOCK << kind < room:
        kind += 1
    return kind

"""Writes the part of many profiles that only workers read, as compact bytes; `models.users.stored`
has the format.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Kind
from models.kernel import kernel
from models.users.arrays import APPLIED, BOUGHT, LISTS, OPENED, Names, UserArrays

VERSION = 2  # of a state without cancelled orders; `models.users.stored` writes the others
HAS_SESSION = 1  # bit 0 of the flags; bits 1, 2, … say which kinds have a count
LONGEST_VARINT = 10
FIXED = 2 + 8 * (len(Kind) + 1 + 3)  # version and flags, counts, their time, and the session


class Scratch(NamedTuple):
    """One float, and the same memory as bytes."""

    number: NDArray[np.float64]
    octets: NDArray[np.uint8]


@kernel
def state_size(users: UserArrays, slots: NDArray[np.int32], items: Names, sources: Names) -> int:
    """Bytes that are enough for the states of these users."""
    size = 0
    for slot in slots:
        size += FIXED + 2 * LONGEST_VARINT
        block = users.blocks[LISTS * slot + APPLIED]
        for i in range(block.base, block.base + block.size):
            source = users.entries[i].id
            size += sources.starts[source + 1] - sources.starts[source] + 2 * LONGEST_VARINT
        block = users.blocks[LISTS * slot + BOUGHT]
        for i in range(block.base, block.base + block.size):
            item = users.entries[i].id
            size += items.starts[item + 1] - items.starts[item] + LONGEST_VARINT + 8
    return size


@kernel
def write_states(
    users: UserArrays,
    slots: NDArray[np.int32],
    items: Names,
    sources: Names,
    scratch: Scratch,
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> None:
    """Write each user's state; user u's ends at ends[u]."""
    at = 0
    for user in range(len(slots)):
        slot = slots[user]
        at = _write_numbers(users, slot, scratch, data, at)
        block = users.blocks[LISTS * slot + APPLIED]
        at = _put_varint(data, at, block.size)
        for i in range(block.base, block.base + block.size):
            at = _put_name(data, at, sources, users.entries[i].id)
            at = _put_varint(data, at, int(users.entries[i].value))
        block = users.blocks[LISTS * slot + BOUGHT]
        at = _put_varint(data, at, block.size)
        for i in range(block.base, block.base + block.size):
            at = _put_float(data, at, scratch, users.entries[i].value)
            at = _put_name(data, at, items, users.entries[i].id)
        ends[user] = at


@kernel
def _write_numbers(users: UserArrays, slot: int, scratch: Scratch, data: NDArray[np.uint8], at: int) -> int:
    has_session = not np.isnan(users.session[slot, OPENED])
    flags = HAS_SESSION if has_session else 0
    for kind in range(users.counts.shape[1]):
        if users.counts[slot, kind] != 0:
            flags |= 2 << kind
    data[at], data[at + 1] = VERSION, flags
    at = _put_float(data, at + 2, scratch, users.counted_at[slot])
    for kind in range(users.counts.shape[1]):
        if users.counts[slot, kind] != 0:
            at = _put_float(data, at, scratch, users.counts[slot, kind])
    if has_session:
        for i in range(users.session.shape[1]):
            at = _put_float(data, at, scratch, users.session[slot, i])
    return at


@kernel
def _put_float(data: NDArray[np.uint8], at: int, scratch: Scratch, value: float) -> int:
    scratch.number[0] = value
    for i in range(8):
        data[at + i] = scratch.octets[i]
    return at + 8


@kernel
def _put_name(data: NDArray[np.uint8], at: int, names: Names, number: int) -> int:
    start, end = names.starts[number], names.starts[number + 1]
    at = _put_varint(data, at, end - start)
    for i in range(start, end):
        data[at] = names.text[i]
        at += 1
    return at


@kernel
def _put_varint(data: NDArray[np.uint8], at: int, value: int) -> int:
    while value >= 128:
        data[at] = 128 | (value & 127)
        at += 1
        value >>= 7
    data[at] = value
    return at + 1

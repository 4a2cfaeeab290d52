"""Tell a repeat of an event from another event under the same id.

Shops send an order's lines under one number, for example. Such lines are events of their own.

An event is known by a number of 64 bits, made of what a repeat shares with it: XXH64
(https://xxhash.com) of the event id, the user id and the item id one after the other, each with the
hash before it as seed, then of the price and the quantity as float64 where there is any. So two
events share a number only if all of these are equal, or by chance: 2^-64 a pair.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.contract.joined import JoinedTexts
from models.kernel import kernel

TEXTS = 3  # of an event

_PRIME_1, _PRIME_2, _PRIME_3, _PRIME_4, _PRIME_5 = (
    np.uint64(prime)
    for prime in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
)


class Identified(Protocol):
    """The fields of an event by which it is known, beside its user."""

    event_id: str
    item_id: str
    price: float | None
    quantity: float | None


# What is mixed into the number of an order to make that of its cancellation.
CANCELLED = np.uint64(0xA5C3_96E1_7D2B_4F08)


def identities(events: Sequence[Identified], user_ids: list[str]) -> NDArray[np.uint64]:
    """Return the number of each event, shape (n,), never 0. Only repeats of one event share it.

    The time is left out, because producers may stamp a retry again; so is what a page says beside.
    `user_ids` (n,) are the events' users.
    """
    keys = np.empty(len(events), np.uint64)
    texts = JoinedTexts.of([each.event_id for each in events] + user_ids + [each.item_id for each in events])
    _hash_events(texts.data, texts.ends, _amounts(events), keys)
    return keys


def _amounts(events: Sequence[Identified]) -> NDArray[np.uint64]:
    """Price and quantity of each event as the bits of float64, NaN for none, shape (n, 2); shape
    (0, 2) where no event has any. 9 and 9.0 are the same.
    """
    if not any([each.price is not None or each.quantity is not None for each in events]):
        return _NO_AMOUNTS
    return np.array([(each.price, each.quantity) for each in events], np.float64).view(np.uint64)


_NO_AMOUNTS = np.zeros((0, 2), np.uint64)
_NONE = np.float64(np.nan).view(np.uint64)


@kernel
def _hash_events(
    data: NDArray[np.uint8], ends: NDArray[np.int64], amounts: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> None:
    for row in range(len(keys)):
        key = np.uint64(0)
        for part in range(TEXTS):
            text = part * len(keys) + row
            key = _hash(data, ends[text - 1] + 1 if text > 0 else 0, ends[text], key)
        if len(amounts) and (amounts[row, 0] != _NONE or amounts[row, 1] != _NONE):
            key = _finish(_step(_step(key + _PRIME_5 + np.uint64(16), amounts[row, 0]), amounts[row, 1]))
        keys[row] = max(key, np.uint64(1))


@kernel
def _hash(data: NDArray[np.uint8], start: int, end: int, seed: np.uint64) -> np.uint64:
    """Return XXH64 of data[start:end]."""
    at, length = start, np.uint64(end - start)
    if end - start >= 32:
        one, two = seed + _PRIME_1 + _PRIME_2, seed + _PRIME_2
        three, four = seed, seed - _PRIME_1
        while end - at >= 32:
            one, two = _round(one, _word(data, at)), _round(two, _word(data, at + 8))
            three, four = _round(three, _word(data, at + 16)), _round(four, _word(data, at + 24))
            at += 32
        key = _turn(one, 1) + _turn(two, 7) + _turn(three, 12) + _turn(four, 18)
        for lane in (one, two, three, four):
            key = (key ^ _round(np.uint64(0), lane)) * _PRIME_1 + _PRIME_4
    else:
        key = seed + _PRIME_5
    key += length
    while end - at >= 8:
        key = _step(key, _word(data, at))
        at += 8
    if end - at >= 4:
        key = _turn(key ^ _half(data, at) * _PRIME_1, 23) * _PRIME_2 + _PRIME_3
        at += 4
    while at < end:
        key = _turn(key ^ np.uint64(data[at]) * _PRIME_5, 11) * _PRIME_1
        at += 1
    return _finish(key)


@kernel
def _step(key: np.uint64, word: np.uint64) -> np.uint64:
    return _turn(key ^ _round(np.uint64(0), word), 27) * _PRIME_1 + _PRIME_4


@kernel
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _turn(lane + word * _PRIME_2, 31) * _PRIME_1


@kernel
def _finish(key: np.uint64) -> np.uint64:
    key = (key ^ (key >> np.uint64(33))) * _PRIME_2
    key = (key ^ (key >> np.uint64(29))) * _PRIME_3
    return key ^ (key >> np.uint64(32))


@kernel
def _turn(value: np.uint64, bits: int) -> np.uint64:
    return value << np.uint64(bits) | value >> np.uint64(64 - bits)


@kernel
def _word(data: NDArray[np.uint8], at: int) -> np.uint64:
    return _half(data, at) | _half(data, at + 4) << np.uint64(32)


@kernel
def _half(data: NDArray[np.uint8], at: int) -> np.uint64:
    low = np.uint64(data[at]) | np.uint64(data[at + 1]) << np.uint64(8)
    return low | np.uint64(data[at + 2]) << np.uint64(16) | np.uint64(data[at + 3]) << np.uint64(24)

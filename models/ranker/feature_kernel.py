"""The compiled half of features: from what the sources say of candidates to columns of numbers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.ranker.candidates import (
    BACKWARD_ALL,
    BESIDE_RANK,
    BRAND_RANK,
    CATEGORY_RANK,
    FOLLOWED,
    FORWARD_ALL,
    FORWARD_BEFORE,
    FORWARD_LAST,
    NEXT_LAST,
    PLACE,
    POPULAR_RANK,
    RECENT,
    TIMES,
    TOGETHER_ALL,
    VOTE_RANK,
    VOTES,
    Found,
    Sessions,
)

NONE = -1
SPANS = 4
FINE = np.float32(1000.0)


class Facts(NamedTuple):
    """What is known of items by number, as of `now` in seconds; each column may end early.

    `counts` (items, kinds, SPANS) are decayed by `rates` (SPANS,) and stand as of `counted_at`.
    """

    now: float
    events: NDArray[np.int32]
    repeats: NDArray[np.int32]
    counts: NDArray[np.float32]
    counted_at: NDArray[np.float64]
    rates: NDArray[np.float64]
    category: NDArray[np.int32]
    brand: NDArray[np.int32]
    price: NDArray[np.float32]
    weight: NDArray[np.float32]


class Session(NamedTuple):
    """What is known of a session, for its candidates."""

    recent: NDArray[np.int32]
    length: float
    repeats: float
    category: int
    brand: int
    price: float
    level: float


@kernel
def describe(facts: Facts, sessions: Sessions, found: Found, features: NDArray[np.float32]) -> None:
    """Fill `features` (n, MOST, COUNT) for the candidates of all sessions."""
    recent = np.zeros(RECENT, np.int32)
    for row in range(len(sessions.sizes)):
        session = _session(facts, sessions.items[row], sessions.sizes[row], recent)
        for i in range(found.sizes[row]):
            _describe(facts, session, found.items[row, i], found.said[row, i], features[row, i])


@kernel
def _session(facts: Facts, items: NDArray[np.int32], size: int, recent: NDArray[np.int32]) -> Session:
    count = 0
    for i in range(size - 1, -1, -1):
        known = False
        for j in range(count):
            if recent[j] == items[i]:
                known = True
                break
        if not known and count < len(recent):
            recent[count] = items[i]
            count += 1
    priced, total = 0, 0.0
    for j in range(count):
        price = _price(facts, recent[j])
        if price > 0:
            priced += 1
            total += np.log(price)
    last = recent[0] if count > 0 else NONE
    return Session(
        recent[:count],
        float(size),
        1.0 - count / size if size > 0 and count < RECENT else 0.0,
        _of(facts.category, last),
        _of(facts.brand, last),
        _price(facts, last),
        total / priced if priced > 0 else 0.0,
    )


@kernel
def _of(column: NDArray[np.int32], item: int) -> int:
    return int(column[item]) if 0 <= item < len(column) else NONE


@kernel
def _price(facts: Facts, item: int) -> float:
    return float(facts.price[item]) if 0 <= item < len(facts.price) else -1.0


@kernel
def _fine(value: float) -> float:
    """A logarithm of what may be 0 and is mostly far below 1."""
    return float(np.log(np.float32(1.0) + FINE * np.float32(value)))


@kernel
def _describe(facts: Facts, session: Session, item: int, said: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    out[0], out[1], out[2] = said[VOTES], _fine(said[VOTES]), said[VOTE_RANK]
    out[3], out[4] = said[FORWARD_LAST], _fine(said[FORWARD_LAST])
    out[5], out[6] = said[NEXT_LAST], _fine(said[NEXT_LAST])
    out[7] = _fine(said[FORWARD_BEFORE])
    out[8], out[9] = said[FORWARD_ALL], _fine(said[FORWARD_ALL])
    out[10] = _fine(said[BACKWARD_ALL])
    out[11], out[12] = said[TOGETHER_ALL], _fine(said[TOGETHER_ALL])
    _popularity(facts, item, out)
    _own(facts, session, item, said, out)
    _catalogue(facts, session, item, out)
    out[32], out[37] = said[CATEGORY_RANK], said[POPULAR_RANK]
    out[39], out[40], out[41] = said[BRAND_RANK], said[BESIDE_RANK], out[30] * out[33]


@kernel
def _popularity(facts: Facts, item: int, out: NDArray[np.float32]) -> None:
    events = facts.events[item] if item < len(facts.events) else 0
    out[13] = np.log(np.float32(1.0 + events))
    out[14:19] = 0.0
    if item < len(facts.counted_at) and events > 0:
        age = max(facts.now - facts.counted_at[item], 0.0)
        for span in range(SPANS):
            total = 0.0
            for kind in range(facts.counts.shape[1]):
                total += facts.counts[item, kind, span]
            out[14 + span] = np.log(np.float32(1.0 + 10.0 * total * np.exp(-age * facts.rates[span])))
        out[18] = out[16] - out[17]


@kernel
def _own(facts: Facts, session: Session, item: int, said: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    place = said[PLACE]
    is_own = 1.0 if place >= 0 else 0.0
    out[19] = is_own
    out[20] = is_own / (1.0 + max(place, 0.0))
    out[21] = is_own * np.exp(-max(place, 0.0) / 5.0)
    out[22] = np.log(np.float32(1.0 + said[TIMES]))
    out[23] = 1.0 if place == 0 else 0.0
    out[24] = np.log(np.float32(1.0 + said[FOLLOWED]))
    rate = 0.0
    if item < len(facts.events):
        rate = facts.repeats[item] / (facts.events[item] - facts.repeats[item] + 5.0)
    out[25], out[26], out[27] = is_own * session.repeats, is_own * rate, rate
    out[28], out[29] = np.log(np.float32(1.0 + session.length)), session.repeats


@kernel
def _catalogue(facts: Facts, session: Session, item: int, out: NDArray[np.float32]) -> None:
    category, brand, price = _of(facts.category, item), _of(facts.brand, item), _price(facts, item)
    alike, branded = 0, 0
    for each in session.recent:
        alike += 1 if category >= 0 and _of(facts.category, each) == category else 0
        branded += 1 if brand >= 0 and _of(facts.brand, each) == brand else 0
    count = max(len(session.recent), 1)
    out[30] = 1.0 if category >= 0 and category == session.category else 0.0
    out[31] = alike / count
    out[33] = 1.0 if brand >= 0 and brand == session.brand else 0.0
    out[34] = branded / count
    out[35] = out[36] = 0.0
    if price > 0 and session.price > 0:
        out[35] = abs(np.log(price / session.price))
        out[36] = np.log(price) - session.level
    out[38] = facts.weight[item] if item < len(facts.weight) else 1.0

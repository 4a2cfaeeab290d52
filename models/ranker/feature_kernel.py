"""The compiled half of features: from what the sources say of candidates to rows of numbers.

Logarithms come last, for all candidates at once and without branches, because one by one they took
most of a list's time.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel, summing_kernel
from models.ranker.arrays import RECENT, FoundCandidates, Sessions
from models.ranker.goods import NO_PRICE

NONE = -1
SPANS = 4
FINE = np.float32(1000.0)
DECAYED = np.float32(10.0)
LN_2 = np.float32(0.6931472)
LARGEST = np.float32(1e30)


class Facts(NamedTuple):
    """What is known of items by number, as of `now` in seconds; each column may end early.

    `counts` (items, kinds, SPANS) are decayed by `rates` (SPANS,) and stand as of `counted_at`;
    `price` is its natural logarithm.
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


class SessionFacts(NamedTuple):
    """What is known of a session, for its candidates; `price` and `level` are logarithms."""

    recent: NDArray[np.int32]
    length: float
    repeats: float
    category: int
    brand: int
    price: float
    level: float


@kernel
def describe(facts: Facts, sessions: Sessions, found: FoundCandidates, features: NDArray[np.void]) -> None:
    """Fill `features` (n,) of type FEATURE_TYPE for the candidates of all sessions, but for the
    logarithms.
    """
    recent = np.zeros(RECENT, np.int32)
    for row in range(len(sessions.sizes)):
        session = _session(facts, sessions.items[row], sessions.sizes[row], recent)
        out = features[row]
        items, said = found.items[row, : found.sizes[row]], found.said[row]
        # Each goes through all candidates itself: a call for each of them took most of the time.
        _related(said, out, len(items))
        _popularity(facts, items, out)
        _own(facts, session, items, said, out)
        _catalogue(facts, session, items, out)


@kernel
def _session(facts: Facts, items: NDArray[np.int32], size: int, recent: NDArray[np.int32]) -> SessionFacts:
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
        if price > NO_PRICE:
            priced += 1
            total += price
    last = recent[0] if count > 0 else NONE
    return SessionFacts(
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
    return float(facts.price[item]) if 0 <= item < len(facts.price) else NO_PRICE


@kernel
def _related(all_said: NDArray[np.void], out: Any, count: int) -> None:
    for i in range(count):
        said = all_said[i]
        out.votes[i], out.votes_log[i], out.votes_rank[i] = (
            said.votes,
            FINE * said.votes,
            said.vote_rank,
        )
        out.forward_last[i], out.forward_last_log[i] = (
            said.forward_last,
            FINE * said.forward_last,
        )
        out.next_last[i], out.next_last_log[i] = said.next_last, FINE * said.next_last
        out.forward_before_log[i] = FINE * said.forward_before
        out.forward_all[i], out.forward_all_log[i] = (
            said.forward_all,
            FINE * said.forward_all,
        )
        out.backward_all_log[i] = FINE * said.backward_all
        out.together_all[i], out.together_all_log[i] = (
            said.together_all,
            FINE * said.together_all,
        )
        out.category_rank[i], out.brand_rank[i] = said.category_rank, said.brand_rank
        out.popular_rank[i], out.beside[i] = said.popular_rank, said.beside_rank


@kernel
def _popularity(facts: Facts, items: NDArray[np.int32], out: Any) -> None:
    for i in range(len(items)):
        item = items[i]
        events = facts.events[item] if item < len(facts.events) else 0
        hour = day = week = month = 0.0
        if item < len(facts.counted_at) and events > 0:
            age = max(facts.now - facts.counted_at[item], 0.0)
            for kind in range(facts.counts.shape[1]):
                hour += facts.counts[item, kind, 0]
                day += facts.counts[item, kind, 1]
                week += facts.counts[item, kind, 2]
                month += facts.counts[item, kind, 3]
            hour *= np.exp(-age * facts.rates[0])
            day *= np.exp(-age * facts.rates[1])
            week *= np.exp(-age * facts.rates[2])
            month *= np.exp(-age * facts.rates[3])
        out.events_log[i] = events
        out.hour_log[i], out.day_log[i] = DECAYED * hour, DECAYED * day
        out.week_log[i], out.month_log[i] = DECAYED * week, DECAYED * month


@kernel
def _own(
    facts: Facts,
    session: SessionFacts,
    items: NDArray[np.int32],
    all_said: NDArray[np.void],
    out: Any,
) -> None:
    for i in range(len(items)):
        item, said = items[i], all_said[i]
        place = said.place
        is_own = 1.0 if place >= 0 else 0.0
        out.is_own[i] = is_own
        out.own_place[i] = is_own / (1.0 + max(place, 0.0))
        out.own_near[i] = np.exp(-place / 5.0) if place >= 0 else 0.0
        out.own_times[i], out.own_followed[i] = said.times, said.followed
        out.is_last[i] = 1.0 if place == 0 else 0.0
        rate = 0.0
        if item < len(facts.events):
            rate = facts.repeats[item] / (facts.events[item] - facts.repeats[item] + 5.0)
        out.own_share_of_repeats[i] = is_own * session.repeats
        out.own_repeat_rate[i], out.repeat_rate[i] = is_own * rate, rate
        out.session_length[i], out.session_repeats[i] = session.length, session.repeats


@kernel
def _catalogue(facts: Facts, session: SessionFacts, items: NDArray[np.int32], out: Any) -> None:
    for i in range(len(items)):
        item = items[i]
        category, brand, price = (
            _of(facts.category, item),
            _of(facts.brand, item),
            _price(facts, item),
        )
        alike, branded = 0, 0
        for each in session.recent:
            alike += 1 if category >= 0 and _of(facts.category, each) == category else 0
            branded += 1 if brand >= 0 and _of(facts.brand, each) == brand else 0
        count = max(len(session.recent), 1)
        same_category = 1.0 if category >= 0 and category == session.category else 0.0
        same_brand = 1.0 if brand >= 0 and brand == session.brand else 0.0
        out.same_category[i], out.category_share[i] = same_category, alike / count
        out.same_brand[i], out.brand_share[i] = same_brand, branded / count
        out.same_both[i] = same_category * same_brand
        gap = level = 0.0
        if price > NO_PRICE and session.price > NO_PRICE:
            gap, level = abs(price - session.price), price - session.level
        out.price_gap[i], out.price_level[i] = gap, level
        out.weight[i] = facts.weight[item] if item < len(facts.weight) else 1.0


@kernel
def compare_trends(features: NDArray[np.void], sizes: NDArray[np.int32]) -> None:
    """Fill what is the difference of two logarithms, once these are taken."""
    for row in range(len(sizes)):
        out = features[row]
        for i in range(sizes[row]):
            out.trend[i] = out.week_log[i] - out.month_log[i]


@summing_kernel
def take_logs(rows: NDArray[np.float32], sizes: NDArray[np.int32], is_log: NDArray[np.bool_]) -> None:
    """Replace x by ln(1 + x) in the rows (n, features, most) of features that `is_log` (features,)
    marks.

    1 + x = m 2^e with m from 2/3 to 4/3; ln m is 2 artanh(t) = 2 (t + t^3 / 3 + ...), t = (m - 1) /
    (m + 1), at most 1e-6 off. So all candidates of a list are taken at once.
    """
    most = rows.shape[2]
    mantissa = np.zeros(most, np.float32)
    bits = mantissa.view(np.int32)
    power = np.zeros(most, np.float32)
    for row in range(len(sizes)):
        size = sizes[row]
        for feature in range(rows.shape[1]):
            if not is_log[feature]:
                continue
            x = rows[row, feature]
            for i in range(size):
                mantissa[i] = x[i] + np.float32(1.0)
            for i in range(size):
                # Bits less those of 2/3: the exponent is then that of the power of two below 3/2.
                exponent = (bits[i] - np.int32(0x3F2AAAAB)) >> np.int32(23)
                power[i] = np.float32(exponent)
                bits[i] = bits[i] - (exponent << np.int32(23))
            for i in range(size):
                t = (mantissa[i] - np.float32(1.0)) / (mantissa[i] + np.float32(1.0))
                s = t * t
                series = np.float32(1 / 7) + s * np.float32(1 / 9)
                series = np.float32(1 / 3) + s * (np.float32(1 / 5) + s * series)
                logarithm = LN_2 * power[i] + np.float32(2.0) * t * (np.float32(1.0) + s * series)
                # What is no finite number stays what it is, so that learning stops there.
                x[i] = logarithm if x[i] < LARGEST else x[i]

"""The reading half of the neighbour index: from a user's recent items to the nearest sessions to the best items.

Sums are kept in fixed point, so that they do not depend on the order of their terms; every choice among equals is made
by time, session hash and item name, never by a number that depends on the order in which events arrived.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.postings import CLOSED, Index, Lists

ONE = 1 << 40


class Asked(NamedTuple):
    """Flat arrays of many users' queries; user u's recent items are items[starts[u]:starts[u + 1]]."""

    items: NDArray[np.int32]
    starts: NDArray[np.int64]
    excluded: NDArray[np.int32]
    excluded_starts: NDArray[np.int64]
    own: NDArray[np.int64]


class Formula(NamedTuple):
    """The weightings as tables; see `models.neighbours` for what they mean and where they come from."""

    neighbours: int
    position: NDArray[np.float64]
    distance: NDArray[np.float64]
    rarity: NDArray[np.float64]


class Names(NamedTuple):
    """Item names as UTF-8, whose byte order is that of the code points; name i is text[starts[i]:starts[i + 1]]."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]


class Found(NamedTuple):
    """Workspace: candidate sessions in order of discovery, and an open-addressing table of their places."""

    session: NDArray[np.int64]
    similarity: NDArray[np.float64]
    ts: NDArray[np.float64]
    order: NDArray[np.int32]
    table: NDArray[np.int32]


class Tally(NamedTuple):
    """Workspace: items of the neighbours with their sums, and an open-addressing table of their places."""

    item: NDArray[np.int32]
    total: NDArray[np.int64]
    votes: NDArray[np.float64]
    cell: NDArray[np.int32]
    table: NDArray[np.int32]


@kernel
def predict(
    index: Index,
    formula: Formula,
    queries: Asked,
    names: Names,
    weight: NDArray[np.float32],
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
) -> None:
    """Fill `items` (q, n) and `scores` (q, n), best first; rows that run out keep what they held."""
    found, tally = _make_found(index, formula), _make_tally(index, formula)
    for user in range(len(items)):
        recent = queries.items[queries.starts[user] : queries.starts[user + 1]]
        excluded = queries.excluded[queries.excluded_starts[user] : queries.excluded_starts[user + 1]]
        count = _gather(index, formula, recent, queries.own[user], found)
        chosen = _choose(index, found, count, formula.neighbours)
        touched = _add_up(index, formula, recent, found, chosen, tally)
        _rank(index, formula, names, weight, excluded, tally, touched, items[user], scores[user])


@kernel
def _make_found(index: Index, formula: Formula) -> Found:
    most = len(formula.position) * (len(formula.rarity) - 1)
    cells = 16
    while cells < 2 * most:
        cells *= 2
    return Found(
        np.empty(most, np.int64),
        np.empty(most, np.float64),
        np.empty(most, np.float64),
        np.empty(most, np.int32),
        np.empty(cells, np.int32),
    )


@kernel
def _make_tally(index: Index, formula: Formula) -> Tally:
    most = formula.neighbours * (len(formula.distance) // 2 + 1)
    cells = 16
    while cells < 2 * most:
        cells *= 2
    return Tally(
        np.empty(most, np.int32),
        np.empty(most, np.int64),
        np.zeros(len(formula.distance)),
        np.empty(most, np.int32),
        np.full(cells, -1, np.int32),
    )


@kernel
def _gather(index: Index, formula: Formula, recent: NDArray[np.int32], own: int, found: Found) -> int:
    lists, closed = index.postings, index.counters[CLOSED]
    length = min(len(recent), len(formula.position))
    mask = len(found.table) - 1
    found.table[:] = -1
    count = 0
    for position in range(length):
        item = recent[position]
        if item >= len(lists.size):
            continue
        size, room, head, base = lists.size[item], lists.room[item], lists.head[item], lists.base[item]
        similarity = formula.position[position] * formula.rarity[size]
        for i in range(size - 1, -1, -1):
            cell = base + ((head + i) & (room - 1))
            session = lists.ids[cell]
            if session < closed or session == own:
                continue
            place = (session * 0x9E3779B1 >> 8) & mask
            while found.table[place] >= 0 and found.session[found.table[place]] != session:
                place = (place + 1) & mask
            known = found.table[place]
            if known >= 0:
                found.similarity[known] += similarity
                found.ts[known] = max(found.ts[known], lists.ts[cell])
                continue
            found.table[place] = count
            found.session[count] = session
            found.similarity[count] = similarity
            found.ts[count] = lists.ts[cell]
            count += 1
    return count


@kernel
def _choose(index: Index, found: Found, count: int, most: int) -> int:
    """Move the `most` nearest to the front of `found.order` (Hoare's quickselect)."""
    order = found.order
    for i in range(count):
        order[i] = i
    low, high = 0, count - 1
    while low < high and count > most:
        pivot = order[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while _is_nearer(index, found, order[i], pivot):
                i += 1
            while _is_nearer(index, found, pivot, order[j]):
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if most - 1 <= j:
            high = j
        elif most - 1 >= i:
            low = i
        else:
            break
    return min(count, most)


@kernel
def _is_nearer(index: Index, found: Found, one: int, other: int) -> bool:
    if found.similarity[one] != found.similarity[other]:
        return found.similarity[one] > found.similarity[other]
    if found.ts[one] != found.ts[other]:
        return found.ts[one] > found.ts[other]
    mask = len(index.session_keys) - 1
    return index.session_keys[found.session[one] & mask] > index.session_keys[found.session[other] & mask]


@kernel
def _add_up(index: Index, formula: Formula, recent: NDArray[np.int32], found: Found, chosen: int, tally: Tally) -> int:
    """Let each neighbour vote for its items, the more the nearer they stand to what the user looked at."""
    tally.votes[:] = 0.0
    slots = len(index.session_keys)
    touched = 0
    for i in range(chosen):
        slot = found.session[found.order[i]] & (slots - 1)
        size = index.sessions.size[slot]
        _vote(index, formula, recent, slot, tally.votes)
        for place in range(size):
            item = index.sessions.ids[_cell(index.sessions, slot, place)]
            touched = _count(tally, touched, item, np.int64(tally.votes[place] * ONE + 0.5))
            tally.votes[place] = 0.0
    return touched


@kernel
def _vote(index: Index, formula: Formula, recent: NDArray[np.int32], slot: int, votes: NDArray[np.float64]) -> None:
    size, middle = index.sessions.size[slot], len(formula.distance) // 2
    length = min(len(recent), len(formula.position))
    for match in range(size):
        item = index.sessions.ids[_cell(index.sessions, slot, match)]
        for position in range(length):
            if recent[position] == item:
                share = formula.position[position] * formula.rarity[index.postings.size[item]]
                for place in range(size):
                    votes[place] += share * formula.distance[middle + place - match]


@kernel
def _count(tally: Tally, touched: int, item: int, vote: int) -> int:
    mask = len(tally.table) - 1
    place = (item * 0x9E3779B1 >> 8) & mask
    while tally.table[place] >= 0 and tally.item[tally.table[place]] != item:
        place = (place + 1) & mask
    known = tally.table[place]
    if known >= 0:
        tally.total[known] += vote
        return touched
    tally.table[place] = touched
    tally.item[touched] = item
    tally.total[touched] = vote
    tally.cell[touched] = place
    return touched + 1


@kernel
def _cell(lists: Lists, owner: int, place: int) -> int:
    return lists.base[owner] + ((lists.head[owner] + place) & (lists.room[owner] - 1))


@kernel
def _rank(
    index: Index,
    formula: Formula,
    names: Names,
    weight: NDArray[np.float32],
    excluded: NDArray[np.int32],
    tally: Tally,
    touched: int,
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
) -> None:
    ranked = 0
    for i in range(touched):
        tally.table[tally.cell[i]] = -1
        item = tally.item[i]
        score = tally.total[i] / ONE * formula.rarity[index.postings.size[item]]
        if item < len(weight):
            score *= weight[item]
        rounded = np.float32(score)
        if not rounded > 0 or _contains(excluded, item):
            continue
        if ranked == len(items) and not _comes_first(names, rounded, item, scores[-1], items[-1]):
            continue
        place = min(ranked, len(items) - 1)
        while place > 0 and _comes_first(names, rounded, item, scores[place - 1], items[place - 1]):
            items[place] = items[place - 1]
            scores[place] = scores[place - 1]
            place -= 1
        items[place] = item
        scores[place] = rounded
        ranked = min(ranked + 1, len(items))


@kernel
def _contains(items: NDArray[np.int32], item: int) -> bool:
    for each in items:
        if each == item:
            return True
    return False


@kernel
def _comes_first(names: Names, score: float, item: int, other_score: float, other: int) -> bool:
    if score != other_score:
        return score > other_score
    start, end = names.starts[item], names.starts[item + 1]
    other_start, other_end = names.starts[other], names.starts[other + 1]
    for i in range(min(end - start, other_end - other_start)):
        if names.text[start + i] != names.text[other_start + i]:
            return names.text[start + i] < names.text[other_start + i]
    return end - start < other_end - other_start

"""The reading half of the neighbour index: from a user's recent items to the nearest sessions to
the best items.

Sums are kept in fixed point, so that they do not depend on the order of their terms; every choice
among equals is made by time, session hash and item name, never by a number that depends on the
order in which events arrived. `catalogue` in this file is `ItemNames`: the names for such a choice,
and the weights of the items.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel
from models.neighbours.arrays import Answer, Asked, Formula, Index, ItemNames, Lists

ONE = 1 << 40
SPREAD = 0x9E3779B1


class Found(NamedTuple):
    """Workspace: candidate sessions as discovered, and an open-addressing table of their places."""

    session: NDArray[np.int64]
    similarity: NDArray[np.float64]
    ts: NDArray[np.float64]
    order: NDArray[np.int32]
    table: NDArray[np.int32]
    used: NDArray[np.int64]


class Tally(NamedTuple):
    """Workspace: items of the neighbours with their votes, and an open-addressing table of their
    places.
    """

    item: NDArray[np.int32]
    total: NDArray[np.int64]
    score: NDArray[np.float32]
    votes: NDArray[np.float64]
    cell: NDArray[np.int32]
    table: NDArray[np.int32]
    used: NDArray[np.int64]


@kernel
def predict(index: Index, formula: Formula, catalogue: ItemNames, asked: Asked, answer: Answer) -> None:
    """Fill the answer, one row a user."""
    found, tally = _make_found(formula), _make_tally(formula)
    for user in range(len(answer.items)):
        recent = asked.items[asked.starts[user] : asked.starts[user + 1]][: len(formula.position)]
        excluded = asked.excluded[asked.excluded_starts[user] : asked.excluded_starts[user + 1]]
        _gather(index, formula, recent, asked.own[user], found)
        chosen = _choose(index, found, formula.neighbours)
        _add_up(index, formula, recent, found.session[found.order[:chosen]], tally)
        _hide(excluded, tally)
        _score(index, formula, catalogue, tally)
        _rank(catalogue, tally, answer.items[user], answer.scores[user])


@kernel
def _make_found(formula: Formula) -> Found:
    most = len(formula.position) * (len(formula.rarity) - 1)
    return Found(
        np.empty(most, np.int64),
        np.empty(most, np.float64),
        np.empty(most, np.float64),
        np.empty(most, np.int32),
        np.empty(_power_above(2 * most), np.int32),
        np.zeros(1, np.int64),
    )


@kernel
def _make_tally(formula: Formula) -> Tally:
    longest = len(formula.distance) // 2
    most = formula.neighbours * longest
    return Tally(
        np.empty(most, np.int32),
        np.empty(most, np.int64),
        np.empty(most, np.float32),
        np.empty(longest, np.float64),
        np.empty(most, np.int32),
        np.full(_power_above(2 * most), -1, np.int32),
        np.zeros(1, np.int64),
    )


@kernel
def _power_above(least: int) -> int:
    power = 16
    while power < least:
        power *= 2
    return power


@kernel
def _gather(index: Index, formula: Formula, recent: NDArray[np.int32], own: int, found: Found) -> None:
    """Collect the sessions that share an item with `recent`."""
    lists = index.postings
    found.table[:] = -1
    found.used[0] = 0
    for position in range(len(recent)):
        item = recent[position]
        if item >= len(lists.owners):
            continue
        size = lists.owners[item].size
        similarity = formula.position[position] * _rarity(index, formula, item)
        for i in range(max(0, size - lists.limit), size):
            cell = _cell(lists, item, i)
            if lists.cells[cell].id != own:
                _meet(found, lists.cells[cell].id, similarity, lists.cells[cell].ts)


@kernel
def _rarity(index: Index, formula: Formula, item: int) -> float:
    return float(formula.rarity[min(index.postings.owners[item].size, index.postings.limit)])


@kernel
def _meet(found: Found, session: int, similarity: float, ts: float) -> None:
    mask = len(found.table) - 1
    place = (session * SPREAD >> 8) & mask
    while found.table[place] >= 0 and found.session[found.table[place]] != session:
        place = (place + 1) & mask
    known = found.table[place]
    if known >= 0:
        found.similarity[known] += similarity
        found.ts[known] = max(found.ts[known], ts)
        return
    count = found.used[0]
    found.used[0] = count + 1
    found.table[place] = count
    found.session[count] = session
    found.similarity[count] = similarity
    found.ts[count] = ts


@kernel
def _choose(index: Index, found: Found, most: int) -> int:
    """Move the `most` nearest to the front of `found.order` by quickselect; returns how many there
    are.
    """
    order, count = found.order, found.used[0]
    for i in range(count):
        order[i] = i
    low, high = 0, count - 1
    while low < high and count > most:
        i, j = _part(index, found, low, high)
        if most - 1 <= j:
            high = j
        elif most - 1 >= i:
            low = i
        else:
            break
    return int(min(count, most))


@kernel
def _part(index: Index, found: Found, low: int, high: int) -> tuple[int, int]:
    order = found.order
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
    return i, j


@kernel
def _is_nearer(index: Index, found: Found, one: int, other: int) -> bool:
    if found.similarity[one] != found.similarity[other]:
        return bool(found.similarity[one] > found.similarity[other])
    if found.ts[one] != found.ts[other]:
        return bool(found.ts[one] > found.ts[other])
    keys = index.postings.keys
    mask = len(keys) - 1
    return bool(keys[found.session[one] & mask] > keys[found.session[other] & mask])


@kernel
def _add_up(
    index: Index, formula: Formula, recent: NDArray[np.int32], neighbours: NDArray[np.int64], tally: Tally
) -> None:
    """Let each neighbour vote for its items, the more the nearer they stand to what the user looked
    at.
    """
    lists = index.sessions
    tally.used[0] = 0
    for session in neighbours:
        slot = session & (len(lists.owners) - 1)
        tally.votes[:] = 0.0
        _vote(index, formula, recent, slot, tally.votes)
        for place in range(lists.owners[slot].size):
            _count(tally, lists.cells[_cell(lists, slot, place)].id, tally.votes[place])


@kernel
def _vote(index: Index, formula: Formula, recent: NDArray[np.int32], slot: int, votes: NDArray[np.float64]) -> None:
    size, middle = index.sessions.owners[slot].size, len(formula.distance) // 2
    for match in range(size):
        item = index.sessions.cells[_cell(index.sessions, slot, match)].id
        for position in range(len(recent)):
            if recent[position] == item:
                share = formula.position[position] * _rarity(index, formula, item)
                for place in range(size):
                    votes[place] += share * formula.distance[middle + place - match]


@kernel
def _find(tally: Tally, item: int) -> int:
    """The place of the item in the table, or that where it would be."""
    mask = len(tally.table) - 1
    place = (item * SPREAD >> 8) & mask
    while tally.table[place] >= 0 and tally.item[tally.table[place]] != item:
        place = (place + 1) & mask
    return int(place)


@kernel
def _count(tally: Tally, item: int, vote: float) -> None:
    place = _find(tally, item)
    known = tally.table[place]
    if known < 0:
        known = tally.used[0]
        tally.used[0] = known + 1
        tally.table[place] = known
        tally.item[known] = item
        tally.total[known] = 0
        tally.cell[known] = place
    tally.total[known] += int(vote * ONE + 0.5)


@kernel
def _score(index: Index, formula: Formula, catalogue: ItemNames, tally: Tally) -> None:
    """Turn votes into scores, and empty the table for the next user."""
    for i in range(tally.used[0]):
        tally.table[tally.cell[i]] = -1
        item = tally.item[i]
        score = tally.total[i] / ONE * _rarity(index, formula, item)
        if item < len(catalogue.weight):
            score *= catalogue.weight[item]
        tally.score[i] = score


@kernel
def _hide(excluded: NDArray[np.int32], tally: Tally) -> None:
    for item in excluded:
        place = _find(tally, item)
        if tally.table[place] >= 0:
            tally.total[tally.table[place]] = 0


@kernel
def _rank(catalogue: ItemNames, tally: Tally, items: NDArray[np.int32], scores: NDArray[np.float32]) -> None:
    """Insertion into a short sorted list: most candidates only meet its last entry."""
    most, ranked = len(items), 0
    for i in range(tally.used[0]):
        item, score = tally.item[i], tally.score[i]
        if not score > 0:
            continue
        if ranked == most and not _comes_first(catalogue, score, item, scores[most - 1], items[most - 1]):
            continue
        place = min(ranked, most - 1)
        while place > 0 and _comes_first(catalogue, score, item, scores[place - 1], items[place - 1]):
            items[place], scores[place] = items[place - 1], scores[place - 1]
            place -= 1
        items[place], scores[place] = item, score
        ranked = min(ranked + 1, most)


@kernel
def _comes_first(catalogue: ItemNames, score: float, item: int, other_score: float, other: int) -> bool:
    """By score, then by name; the byte order of UTF-8 is that of the code points."""
    if score != other_score:
        return score > other_score
    start, end = catalogue.starts[item], catalogue.starts[item + 1]
    other_start, other_end = catalogue.starts[other], catalogue.starts[other + 1]
    for i in range(min(end - start, other_end - other_start)):
        if catalogue.text[start + i] != catalogue.text[other_start + i]:
            return bool(catalogue.text[start + i] < catalogue.text[other_start + i])
    return bool(end - start < other_end - other_start)


@kernel
def _cell(lists: Lists, owner: int, place: int) -> int:
    return int(lists.owners[owner].base + ((lists.owners[owner].head + place) & (lists.owners[owner].room - 1)))

"""Compiled search among item vectors: few bits of every item first, then whole vectors of the
nearest few.

The sign bits of two vectors differ in number as the vectors differ in angle (Charikar, STOC 2002),
and counting differing bits is fast enough to look at every item. So what is found is a function of
the set of vectors: unlike in a graph, it does not depend on the order in which items came, and an
item can go, or be hidden, from one moment to the next.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel, summing_kernel

WORDS_AT_ONCE = 6  # 64-bit words of signs in one pass over the items: 384 dimensions
ITEMS_AT_ONCE = 4096  # their signs fit into a core's cache while several users are compared
USERS_AT_ONCE = 8


class Space(NamedTuple):
    """Items by number: sign bits (words, items), unit vectors (items, dimension), weights and ways
    to tell ties.

    `penalty` is 0 for an item that may be found, else more than a vector has bits. `late` marks
    items that may be found after the first k too (see `Near`). `keys` order items whose similarity
    is the same.
    """

    signs: NDArray[np.uint64]
    vectors: NDArray[np.float32]
    weight: NDArray[np.float32]
    penalty: NDArray[np.uint16]
    late: NDArray[np.bool_]
    keys: NDArray[np.uint64]


class Wanted(NamedTuple):
    """Unit vectors (q, dimension) with their sign bits (q, words), and what user u must not be
    shown: excluded[starts[u]:starts[u + 1]]."""

    vectors: NDArray[np.float32]
    signs: NDArray[np.uint64]
    excluded: NDArray[np.int32]
    starts: NDArray[np.int64]


class Effort(NamedTuple):
    """Of the at least `compared` items whose signs differ least, the first k more similar than
    `floor` are found.
    """

    compared: int
    k: int
    floor: float


class Near(NamedTuple):
    """The nearest items, shapes (q, k + l), items padded with -1: the k > 0 most similar ones, best
    first, then the l most similar late ones of the others. `place` is 1 for the most similar;
    equally similar items share it."""

    items: NDArray[np.int32]
    similarity: NDArray[np.float32]
    place: NDArray[np.int32]


class Work(NamedTuple):
    """Workspace of one user's search: bits that differ, a histogram of them, and the items to
    compare exactly.
    """

    distance: NDArray[np.uint16]
    histogram: NDArray[np.int64]
    items: NDArray[np.int32]
    similarity: NDArray[np.float32]


@kernel
def search(space: Space, wanted: Wanted, effort: Effort, near: Near) -> None:
    """Fill `near`, one row a user."""
    items, bits = len(space.penalty), 64 * len(space.signs)
    distances = np.empty((USERS_AT_ONCE, items), np.uint16)
    histogram = np.empty(2 * bits + 2, np.int64)
    chosen, similarity = np.empty(items, np.int32), np.empty(items, np.float32)
    for first in range(0, len(wanted.vectors), USERS_AT_ONCE):
        users = min(USERS_AT_ONCE, len(wanted.vectors) - first)
        _measure_all(space, wanted.signs[first : first + users], distances)
        for user in range(first, first + users):
            work = Work(distances[user - first], histogram, chosen, similarity)
            for item in wanted.excluded[wanted.starts[user] : wanted.starts[user + 1]]:
                if item < items:
                    work.distance[item] = bits + 1
            count = _choose(work, effort.compared, bits)
            _compare(space, wanted.vectors[user], work, count)
            _rank(space, work, count, effort, Near(near.items[user], near.similarity[user], near.place[user]))


@kernel
def add_rows(
    vectors: NDArray[np.float32],
    items: NDArray[np.int32],
    weights: NDArray[np.float32],
    starts: NDArray[np.int64],
    sums: NDArray[np.float32],
) -> None:
    """sums[u] += Σ weights[i] · vectors[items[i]] over i in starts[u]:starts[u + 1]; no vector
    counts as 0.
    """
    for user in range(len(sums)):
        for i in range(starts[user], starts[user + 1]):
            if items[i] < len(vectors):
                row, weight = vectors[items[i]], weights[i]
                for d in range(len(row)):
                    sums[user, d] += weight * row[d]


@kernel
def _bits(word: np.uint64) -> np.uint64:
    # Compilers know this as the population count of a word.
    pairs = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (eights * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def _measure_all(space: Space, signs: NDArray[np.uint64], distances: NDArray[np.uint16]) -> None:
    for begin in range(0, len(space.penalty), ITEMS_AT_ONCE):
        end = min(begin + ITEMS_AT_ONCE, len(space.penalty))
        for user in range(len(signs)):
            distance = distances[user, begin:end]
            distance[:] = space.penalty[begin:end]
            for word in range(0, signs.shape[1], WORDS_AT_ONCE):
                _measure(space.signs, word, begin, signs[user, word:], distance)


@kernel
def _measure(
    rows: NDArray[np.uint64], word: int, begin: int, signs: NDArray[np.uint64], distance: NDArray[np.uint16]
) -> None:
    """Add the bits in which items differ from `signs`, from item `begin` and row `word` on."""
    end = begin + len(distance)
    # Cut out row by row: only so does the compiler know that each is without gaps.
    w0, w1, w2 = rows[word, begin:end], rows[word + 1, begin:end], rows[word + 2, begin:end]
    w3, w4, w5 = rows[word + 3, begin:end], rows[word + 4, begin:end], rows[word + 5, begin:end]
    s0, s1, s2, s3, s4, s5 = signs[0], signs[1], signs[2], signs[3], signs[4], signs[5]
    for item in range(len(distance)):
        low = _bits(w0[item] ^ s0) + _bits(w1[item] ^ s1) + _bits(w2[item] ^ s2)
        high = _bits(w3[item] ^ s3) + _bits(w4[item] ^ s4) + _bits(w5[item] ^ s5)
        distance[item] += np.uint16(low + high)


@kernel
def _choose(work: Work, least: int, bits: int) -> int:
    """Move the items of the smallest distances, at least `least` where there are as many, to the
    front.
    """
    work.histogram[:] = 0
    for item in range(len(work.distance)):
        work.histogram[work.distance[item]] += 1
    limit, found = 0, 0
    while limit <= bits and found < least:
        found += work.histogram[limit]
        limit += 1
    count = 0
    for item in range(len(work.distance)):
        if work.distance[item] < limit:
            work.items[count] = item
            count += 1
    return count


@summing_kernel
def _compare(space: Space, vector: NDArray[np.float32], work: Work, count: int) -> None:
    for i in range(count):
        row, total = space.vectors[work.items[i]], np.float32(0)
        for d in range(len(row)):
            total += row[d] * vector[d]
        work.similarity[i] = total * space.weight[work.items[i]]


@kernel
def _rank(space: Space, work: Work, count: int, effort: Effort, near: Near) -> None:
    """Fill one user's rows."""
    items, similarity, place, k = near.items, near.similarity, near.place, effort.k
    for i in range(count):
        if work.similarity[i] > effort.floor:
            _insert(space, work.items[i], work.similarity[i], items[:k], similarity[:k])
    last, least = items[k - 1], similarity[k - 1]
    for i in range(count):
        item, score = work.items[i], work.similarity[i]
        is_left = last >= 0 and item != last and _comes_first(space, least, last, score, item)
        if score > effort.floor and is_left and space.late[item]:
            _insert(space, item, score, items[k:], similarity[k:])
    for column in range(k):
        tied = column > 0 and similarity[column] == similarity[column - 1]
        place[column] = place[column - 1] if tied else column + 1
    for column in range(k, len(items)):
        place[column] = 1
        for i in range(count):
            if work.similarity[i] > similarity[column]:
                place[column] += 1


@kernel
def _insert(space: Space, item: int, score: float, items: NDArray[np.int32], similarity: NDArray[np.float32]) -> None:
    """Put an item where it belongs in a short sorted list; most only meet its last entry."""
    last = len(items) - 1
    if last < 0 or not _comes_first(space, score, item, similarity[last], items[last]):
        return
    at = last
    while at > 0 and _comes_first(space, score, item, similarity[at - 1], items[at - 1]):
        items[at], similarity[at] = items[at - 1], similarity[at - 1]
        at -= 1
    items[at], similarity[at] = item, score


@kernel
def _comes_first(space: Space, score: float, item: int, other_score: float, other: int) -> bool:
    if other < 0 or score != other_score:
        return other < 0 or score > other_score
    return bool(space.keys[item] < space.keys[other])

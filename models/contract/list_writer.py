"""Writes the JSON of many lists and profiles at once, out of prepared fragments.

The bytes are those that orjson gives. A number that these kernels cannot print exactly makes them
leave out its user, who is then written with orjson.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

# Characters of the longest number that is written.
LONGEST_NUMBER = 24

DIGITS = 1_000_000
LARGEST = 9e9  # up to that, 6 digits after the point are exact
POWERS = np.array([float(10**n) for n in range(23)])  # the powers of ten that a float holds exactly
SIX_DIGITS = 1e5  # a whole number of 6 digits is at least this
# In this span (1987 to 2106), floats are so far apart that 7 digits after the point tell them all.
# Times of Python's clock have that many.
FIRST_TIME, LAST_TIME = float(2**29), float(2**32)
TIME_DIGITS = 10_000_000
LOWEST_DECIMAL = 1e-5  # orjson writes smaller numbers with an exponent
NOT_EXACT = -1


class Texts(NamedTuple):
    """Byte strings end to end; string i is text[starts[i]:starts[i + 1]]."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]


class Output(NamedTuple):
    """Where bytes are written: row u ends up in data[ends[u - 1]:ends[u]], empty when it cannot be
    written.
    """

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def rows(self) -> list[bytes]:
        """The bytes of each row."""
        ends = self.ends.tolist()
        data = self.data[: ends[-1]].tobytes() if ends else b""
        return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


class ListRows(NamedTuple):
    """Lists to write: item numbers padded with -1, scores and sources, shapes (users, size), and
    event times.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    sources: NDArray[np.uint8]
    event_ts: NDArray[np.float64]


class SeenRows(NamedTuple):
    """Histories to write: user u's items, times and kinds are those from starts[u] to starts[u +
    1].
    """

    items: NDArray[np.int32]
    ts: NDArray[np.float64]
    kinds: NDArray[np.int32]
    starts: NDArray[np.int64]


@kernel
def write_lists(fragments: Texts, users: Texts, names: Texts, lists: ListRows, out: Output) -> None:
    """Write each user's list.

    `fragments` are: the beginning, what comes between the user and the items, before an item,
    before a score, after the items, the end; then the text from a score to the end of its item for
    each source. `users` and `names` (by item number) are JSON strings.
    """
    end = 0
    for user in range(len(lists.items)):
        out.ends[user] = _write_list(fragments, users, names, lists, user, out.data, end)
        if out.ends[user] == NOT_EXACT:
            out.ends[user] = end
        end = out.ends[user]


@kernel
def write_histories(fragments: Texts, names: Texts, seen: SeenRows, out: Output) -> None:
    """Write each user's recent items as [[item, time, kind], …].

    `fragments` are the texts from a time to the end of its entry by kind.
    """
    end = 0
    for user in range(len(out.ends)):
        out.ends[user] = _write_history(fragments, names, seen, user, out.data, end)
        if out.ends[user] == NOT_EXACT:
            out.ends[user] = end
        end = out.ends[user]


@kernel
def write_counts(fragments: Texts, counts: NDArray[np.float64], counted_at: NDArray[np.float64], out: Output) -> None:
    """Write each user's counts, shape (users, kinds), rounded to 6 digits.

    `fragments` are the texts before each count, before the time, and the end.
    """
    end, kinds = 0, counts.shape[1]
    for user in range(len(out.ends)):
        at = end
        for kind in range(kinds + 1):
            at = _put(out.data, at, fragments, kind)
            value = np.rint(counts[user, kind] * DIGITS) / DIGITS if kind < kinds else counted_at[user]
            at = put_decimal(out.data, at, value)
            if at == NOT_EXACT:
                break
        if at != NOT_EXACT:
            end = _put(out.data, at, fragments, kinds + 1)
        out.ends[user] = end


@kernel
def _write_list(
    fragments: Texts, users: Texts, names: Texts, lists: ListRows, user: int, data: NDArray[np.uint8], at: int
) -> int:
    at = _put(data, at, fragments, 0)
    at = _put(data, at, users, user)
    at = _put(data, at, fragments, 1)
    for place in range(lists.items.shape[1]):
        if lists.items[user, place] < 0:
            break
        if place > 0:
            data[at] = 44  # a comma
            at += 1
        at = _put(data, at, fragments, 2)
        at = _put(data, at, names, lists.items[user, place])
        at = _put(data, at, fragments, 3)
        at = put_decimal(data, at, lists.scores[user, place])
        if at == NOT_EXACT:
            return NOT_EXACT
        at = _put(data, at, fragments, 6 + lists.sources[user, place])
    at = _put(data, at, fragments, 4)
    at = put_decimal(data, at, lists.event_ts[user])
    return NOT_EXACT if at == NOT_EXACT else _put(data, at, fragments, 5)


@kernel
def _write_history(fragments: Texts, names: Texts, seen: SeenRows, user: int, data: NDArray[np.uint8], at: int) -> int:
    data[at] = 91  # [
    at += 1
    for i in range(seen.starts[user], seen.starts[user + 1]):
        if i > seen.starts[user]:
            data[at] = 44
            at += 1
        data[at] = 91
        at = _put(data, at + 1, names, seen.items[i])
        data[at] = 44
        at = put_decimal(data, at + 1, seen.ts[i])
        if at == NOT_EXACT:
            return NOT_EXACT
        at = _put(data, at, fragments, seen.kinds[i])
    data[at] = 93  # ]
    return at + 1


@kernel
def _put(data: NDArray[np.uint8], at: int, texts: Texts, number: int) -> int:
    for i in range(texts.starts[number], texts.starts[number + 1]):
        data[at] = texts.text[i]
        at += 1
    return at


@kernel
def put_decimal(data: NDArray[np.uint8], at: int, value: float) -> int:
    """Write a number as orjson does; returns the place behind it, or NOT_EXACT and no effect to
    rely on.

    It can write what is neither negative nor above LARGEST, and has at most 6 digits after the
    point, or is from FIRST_TIME to LAST_TIME, or has at most 6 significant digits and is not below
    1e-17.
    """
    if not 0 <= value <= LARGEST:
        return NOT_EXACT
    scaled = int(np.rint(value * DIGITS))
    if scaled / DIGITS != value or 0 < scaled < 10:
        return _put_time(data, at, value) if FIRST_TIME <= value < LAST_TIME else _put_share(data, at, value)
    whole, part = scaled // DIGITS, scaled % DIGITS
    return _put_part(data, _put_whole(data, at, whole), part, DIGITS)


@kernel
def _put_time(data: NDArray[np.uint8], at: int, value: float) -> int:
    """Write a number of 7 digits behind the point from FIRST_TIME to LAST_TIME."""
    whole = int(value)
    part = int(np.rint((value - whole) * TIME_DIGITS))
    return _put_part(data, _put_whole(data, at, whole), part, TIME_DIGITS)


@kernel
def _put_share(data: NDArray[np.uint8], at: int, value: float) -> int:
    """Write a number of at most 6 significant digits that is no whole one."""
    places = 0
    while places < len(POWERS) and value * POWERS[places] < SIX_DIGITS:
        places += 1
    if places == len(POWERS):
        return NOT_EXACT
    digits = int(np.rint(value * POWERS[places]))
    if digits / POWERS[places] != value:
        return NOT_EXACT
    while digits % 10 == 0:
        digits //= 10
        places -= 1
    if value >= LOWEST_DECIMAL:
        unit = 10**places
        return _put_part(data, _put_whole(data, at, digits // unit), digits % unit, unit)
    unit = 1
    while digits // unit >= 10:
        unit *= 10
        places -= 1
    at = _put_whole(data, at, digits // unit)
    if digits % unit > 0:
        at = _put_part(data, at, digits % unit, unit)
    data[at], data[at + 1] = 101, 45  # e-
    return _put_whole(data, at + 2, places)


@kernel
def _put_part(data: NDArray[np.uint8], at: int, part: int, unit: int) -> int:
    """Write the digits behind the point, and the point; `part` is out of `unit`, a power of ten."""
    data[at] = 46
    at += 1
    while True:
        unit //= 10
        data[at] = 48 + part // unit
        at += 1
        part %= unit
        if part == 0:
            return int(at)


@kernel
def _put_whole(data: NDArray[np.uint8], at: int, value: int) -> int:
    unit = 1
    while value // unit >= 10:
        unit *= 10
    while unit > 0:
        data[at] = 48 + (value // unit) % 10
        at += 1
        unit //= 10
    return at

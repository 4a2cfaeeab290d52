"""Finds the rows of a file that are plainly good, from whole columns instead of single rows.

A row is plainly good only if the worker's checks would accept it. All others are doubtful, and are
judged by these checks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, repeat
from typing import NamedTuple

import numpy as np

from app.datasets.record import CellReaders, Portion
from app.filecheck.plain_cells import EVENT_CELLS, ITEM_CELLS, NEEDED, Cells, Flags, Read, each_value
from app.filecheck.rejected import Identity
from models.contract.event_codec import EventSettings
from models.contract.events import GUEST_PREFIX

# Escaped, a character takes at most 6 bytes of JSON; names and numbers take less than 1,000.
BYTES_OF_CHARACTER, BYTES_BESIDE = 6, 1_000


class Plain(NamedTuple):
    """What is plain about a portion: how many rows of each topic, and the rows that are doubtful.

    `left_out` counts rows by the word of their kind. `identities` tell the events from each other;
    it is empty where ids are derived from the rows, as then no two are the same.
    """

    accepted: Counter[str]
    left_out: Counter[str]
    identities: list[Identity]
    doubtful: list[int]


class PlainRows:
    """Judges portions of CSV."""

    def __init__(self, readers: CellReaders, of: str, settings: EventSettings, latest: float) -> None:
        self._readers = readers
        self._of = of
        self._most_bytes = settings.max_bytes
        self._latest = latest
        self._no_goods, self._most = settings.no_goods(), settings.quantity_limit
        self._checks = EVENT_CELLS if of == "events" else ITEM_CELLS
        needed = set(NEEDED[of]) - ({"event_id"} if readers.derived else set())
        self._is_hopeless = not needed <= readers.fields.keys()

    def judge(self, portion: Portion) -> Plain:
        """Return what is plain about the rows of a portion; its odd rows are left to the caller."""
        count = len(portion.cells)
        if not count or self._is_hopeless:
            return Plain(Counter(), Counter(), [], list(range(count)))
        columns = list(zip(*portion.cells, strict=True))
        fields = {name: (columns[portion.places[at]], read) for name, (at, read) in self._readers.fields.items()}
        good = np.full(count, self._is_small(fields))
        for name, (cells, read) in fields.items():
            good &= self._checks[name](cells, self._tolerant(name, read), self._latest)
        if self._of == "items":
            return Plain(Counter(items=int(good.sum())), Counter(), [], np.flatnonzero(~good).tolist())
        good &= _has_user(fields, count)
        if self._no_goods:
            good &= each_value(fields["item_id"][0], lambda cell: cell not in self._no_goods)
        if "quantity" in fields:
            cells, read = fields["quantity"]
            good &= each_value(cells, lambda cell: not cell or self._is_plausible(read(cell)))
        return self._events(good, fields, self._words(columns, portion, count))

    def _events(self, good: Flags, fields: Mapping[str, tuple[Cells, Read]], words: Cells) -> Plain:
        topics = {word: self._readers.topic_of_word(word) for word in set(words)}
        left_out = Counter(word for word in words if topics[word] == "") if "" in topics.values() else Counter[str]()
        is_skipped = each_value(words, lambda word: topics[word] == "") if left_out else np.zeros(len(words), np.bool_)
        good &= each_value(words, lambda word: bool(topics[word]))
        chosen = words if good.all() else tuple(compress(words, good.tolist()))
        accepted: Counter[str] = Counter()
        for word, count in Counter(chosen).items():
            accepted[str(topics[word])] += count
        identities = [] if self._readers.derived else list(_identities(good, fields))
        return Plain(accepted, left_out, identities, np.flatnonzero(~good & ~is_skipped).tolist())

    def _words(self, columns: Sequence[Cells], portion: Portion, count: int) -> Cells:
        kind = self._readers.kind_column
        return columns[portion.places[kind]] if kind else ("",) * count

    def _is_plausible(self, quantity: object) -> bool:
        return isinstance(quantity, int | float) and quantity <= self._most

    def _is_small(self, fields: Mapping[str, tuple[Cells, Read]]) -> bool:
        longest = sum(max(map(len, cells)) for cells, _ in fields.values())
        return longest * BYTES_OF_CHARACTER + BYTES_BESIDE <= self._most_bytes

    def _tolerant(self, name: str, read: Read) -> Read:
        """A price of 0 says that it is not known, in other shapes than Headrace's own."""
        if name != "price" or self._readers.is_own:
            return read
        return lambda cell: 1 if (value := read(cell)) == 0 else value


def _has_user(fields: Mapping[str, tuple[Cells, Read]], count: int) -> Flags:
    found = np.zeros(count, np.bool_)
    for name in ("user_id", "session_id"):
        if name in fields:
            found |= np.fromiter(map(bool, fields[name][0]), np.bool_, count)
    return found


def _identities(good: Flags, fields: Mapping[str, tuple[Cells, Read]]) -> Iterator[Identity]:
    keep = good.tolist()

    def chosen(name: str) -> Cells:
        return fields[name][0] if good.all() else tuple(compress(fields[name][0], keep))

    sessions: Cells | Iterator[str] = chosen("session_id") if "session_id" in fields else repeat("")
    users: Cells | Iterator[str] = chosen("user_id") if "user_id" in fields else repeat("")
    pairs = zip(users, sessions, strict=False)
    named = [user or GUEST_PREFIX + session for user, session in pairs]
    prices, quantities = (
        _amounts(chosen(name), fields[name][1]) if name in fields else repeat(None) for name in ("price", "quantity")
    )
    return zip(chosen("event_id"), named, chosen("item_id"), prices, quantities, strict=False)


def _amounts(cells: Cells, read: Read) -> Iterator[float | None]:
    """Yield the numbers in plainly good cells, None for an empty one."""
    values = {cell: read(cell) if cell else None for cell in set(cells)}
    return (value if isinstance(value := values[cell], int | float) else None for cell in cells)

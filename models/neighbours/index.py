"""Session nearest neighbours, learnt event by event: what did the past sessions most like this one
look at?

The nearest sessions are found as in VMIS-kNN (Kersbergen et al., "Serenade", SIGMOD 2022). They
vote as in STAN (Garg et al., SIGIR 2019): the more, the nearer an item stands in the neighbour to
the items that both sessions share; unlike there, every shared item counts, not only the last.

With U the user's last items, p(x) the place of x among them (0: the last), N the nearest sessions,
d(i, x) the places between two items of one of them, and

    r(x)          = (log(1 + sessions / postings of x) / log(1 + sessions)) ^ rarity_power
    similarity(s) = Σ over x in U and s: position_decay ^ p(x) · r(x)
    score(i)      = r(i) · Σ over s in N, x in U and s: position_decay ^ p(x) · r(x) · near(d(i, x))
    near(d)       = revisit_weight if d = 0,
                    else far_share + (1 - far_share) · exp(-d / vote_distance)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.neighbours.arrays import CLOSED, OPENED, Answer, Asked, Events, Formula, Index
from models.neighbours.copy import Room, copy_index, make_room
from models.neighbours.name_table import NameTable
from models.neighbours.predict import predict
from models.neighbours.shared import count_shared
from models.neighbours.snapshot import list_events
from models.neighbours.storage import make_index, memory_bytes, with_items, with_room
from models.neighbours.take_out import entries, sessions_at, take_out
from models.neighbours.update import empty_sessions, find_sessions, update
from models.setting import setting
from models.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class NeighbourSettings:
    """How past sessions are kept, chosen and weighted; the defaults were chosen on bol.com's valid
    split.
    """

    neighbours: int = setting(100, "nearest past sessions that vote", low=1, high=5_000)
    postings: int = setting(500, "most recent sessions looked at for an item", low=1, high=10_000)
    session_items: int = setting(20, "most recent items kept of a session", low=1, high=200)
    sessions: int = setting(1_000_000, "sessions kept; the one learnt of first makes room", low=1, high=100_000_000)
    last_items: int = setting(6, "most recent items of a user that look for neighbours", low=1, high=50)
    position_decay: float = setting(0.6, "weight of an item of the user against the one seen after it", low=0, high=1)
    rarity_power: float = setting(2.0, "how strongly rare items count more; 0 counts all alike", low=0, high=10)
    vote_distance: float = setting(2.0, "places after which a neighbour's vote falls to 1/e", low=0.01, high=1000)
    far_share: float = setting(0.2, "share of a vote that does not fall with the distance", low=0, high=1)
    revisit_weight: float = setting(
        3.0, "vote for an item that the user has seen, against its neighbour", low=0, high=10
    )


@dataclass(frozen=True, slots=True)
class Queries:
    """What many users want to know, as flat arrays.

    User u's recent distinct items, most recent first, are `items[starts[u]:starts[u + 1]]`; what
    may not be shown is `excluded[excluded_starts[u]:excluded_starts[u + 1]]`; `own[u]` is the hash
    of the user's own session, which is no neighbour of itself, or 0.
    """

    items: NDArray[np.int32]
    starts: NDArray[np.int64]
    excluded: NDArray[np.int32]
    excluded_starts: NDArray[np.int64]
    own: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.own)

    @classmethod
    def build(cls, rows: Sequence[tuple[Sequence[int], Sequence[int], int]]) -> Self:
        """Queries from (recent items, excluded items, own session hash) rows."""
        items, starts = _flatten([row[0] for row in rows])
        excluded, excluded_starts = _flatten([row[1] for row in rows])
        return cls(items, starts, excluded, excluded_starts, np.array([row[2] for row in rows], np.uint64))


class NeighbourIndex:
    """The sessions of the log, ready to find neighbours in; for one thread at a time.

    What it holds and answers depends on the set of events only: neither on their order, nor on how
    they were batched, nor on how often one arrived, nor on how items are numbered. That ends where
    `sessions` is reached: then the session that was learnt of first is forgotten.
    """

    def __init__(self, settings: NeighbourSettings, vocabulary: Vocabulary) -> None:
        self._settings = settings
        self.names = NameTable(vocabulary)
        self._index = make_index(settings.postings, settings.session_items, settings.sessions)

    def __len__(self) -> int:
        """The number of sessions."""
        return int(self._index.counters[OPENED] - self._index.counters[CLOSED])

    @property
    def memory_bytes(self) -> int:
        """Bytes that the index's arrays take."""
        return memory_bytes(self._index) + self.names.memory_bytes

    def update(self, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        """Learn events, columns of length n: session hash, item number, event time in seconds.

        Raises ValueError, and learns nothing, if lengths differ, a time is not finite or an item
        has no name.
        """
        self.names.catch_up()
        self._check(sessions, items, ts)
        self._index = with_items(self._index, self.names.keys)
        events = Events(_column(sessions, np.uint64), _column(items, np.int32), _column(ts, np.float64))
        done = 0
        while (done := update(self._index, events, done)) < len(ts):
            self._index = with_room(self._index)

    def forget(self, sessions: NDArray[np.uint64]) -> int:
        """Forget what was seen in the sessions with these hashes, shape (n,).

        They lead to no item any more. Returns how many of them were known.
        """
        found = find_sessions(self._index, _column(sessions, np.uint64))
        found = found[found >= 0]
        sizes = self._index.sessions.owners["size"][found & (len(self._index.postings.keys) - 1)]
        empty_sessions(self._index, found)
        return int(np.count_nonzero(sizes))

    def take_out(self, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        """Remove each item, shape (n,), from the session with this hash, if it was last seen there
        at `ts`.
        """
        found = find_sessions(self._index, _column(sessions, np.uint64))
        for session, item, time in zip(found.tolist(), items.tolist(), ts.tolist(), strict=True):
            if session >= 0:
                take_out(self._index, session, item, time)

    def sessions_at(self, item: int, ts: float) -> dict[int, list[float]]:
        """Return the sessions in which the item was last seen at `ts`: their hashes, and the times
        of what they hold.
        """
        keys, owners = (
            self._index.postings.keys,
            sessions_at(self._index, item, ts) & (len(self._index.postings.keys) - 1),
        )
        return {int(keys[slot]): entries(self._index.sessions, slot)[1].tolist() for slot in owners.tolist()}

    def predict_many(
        self, query: Queries, weight: NDArray[np.float32], n: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The n best items of each user, best first, and their scores; shapes (q, n), padded with
        -1 and 0.

        `weight[item]` multiplies an item's score, 0 hides it; items beyond its end have weight 1.
        Equal scores are in the order of the items' names. Raises ValueError for a query with a
        negative item, or with columns of lengths that do not fit.
        """
        items = np.full((len(query), n), -1, np.int32)
        scores = np.zeros((len(query), n), np.float32)
        if n > 0 and len(query):
            catalogue = self.names.weighted(_column(weight, np.float32))
            predict(self._index, self._formula(), catalogue, self._ask(query), Answer(items, scores))
        return items, scores

    def sessions_by_item(self) -> NDArray[np.int32]:
        """How many sessions lead to each item, by item number; items beyond the end have none."""
        sizes: NDArray[np.int32] = self._index.postings.owners["size"]
        return sizes

    def shared_sessions(self, item: int, others: NDArray[np.int32]) -> NDArray[np.int32]:
        """How many of the item's newest sessions hold each of the others, shape (n,)."""
        counts = np.zeros(len(others), np.int32)
        count_shared(self._index, item, _column(others, np.int32), counts)
        return counts

    def name_keys(self) -> NDArray[np.uint64]:
        """A hash of each item's name by item number, the same in every worker."""
        self.names.catch_up()
        return self.names.keys

    def warm_up(self) -> None:
        """Compile everything, or load it from numba's cache, without learning anything."""
        vocabulary = Vocabulary()
        index = NeighbourIndex(self._settings, vocabulary)
        index.update(np.array([1], np.uint64), vocabulary.numbers(["a"]), np.zeros(1))
        index.predict_many(Queries.build([([0], [], 0)]), np.zeros(0, np.float32), 1)
        index.shared_sessions(0, np.zeros(1, np.int32))
        index.forget(np.array([1], np.uint64))
        index.restore(index.snapshot())

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """All that `restore` needs: the fewest events that make this index, and the names of all
        items.
        """
        text, starts = self.names.copy()
        return {**list_events(self._index)._asdict(), "names": text, "name_starts": starts}

    def room(self) -> Room:
        """Memory for `copy`; may be called in another thread while the index goes on."""
        return make_room(self._index)

    def copy(self, room: Room) -> Index:
        """A copy of which `list_events` makes a snapshot's columns later, in any thread; the names
        are not in it.
        """
        return copy_index(self._index, room)

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Learn what a snapshot holds; into an empty index, this makes it equal to the one that was
        saved.

        The vocabulary gets the snapshot's names; it may number them differently. Raises KeyError or
        ValueError when the snapshot is not one.
        """
        numbers = self.names.add(snapshot["names"], snapshot["name_starts"])
        if len(snapshot["items"]) and not 0 <= snapshot["items"].min() <= snapshot["items"].max() < len(numbers):
            raise ValueError("the snapshot has items without a name")
        self.update(snapshot["sessions"], numbers[snapshot["items"]], snapshot["ts"])

    def _check(self, sessions: NDArray[np.uint64], items: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        if not len(sessions) == len(items) == len(ts):
            raise ValueError(f"columns differ in length: {len(sessions)} sessions, {len(items)} items, {len(ts)} times")
        if len(items) and not 0 <= items.min() <= items.max() < len(self.names):
            raise ValueError(f"item {items.min()} or {items.max()} is not in a vocabulary of {len(self.names)}")
        if not np.isfinite(ts).all():
            raise ValueError("an event time is not a finite number")

    def _ask(self, query: Queries) -> Asked:
        if not len(query.starts) == len(query.excluded_starts) == len(query) + 1:
            raise ValueError(f"{len(query)} users need as many starts and one more")
        if (query.items < 0).any():
            raise ValueError("an item of a query is negative")
        own = find_sessions(self._index, _column(query.own, np.uint64))
        starts, excluded_starts = _column(query.starts, np.int64), _column(query.excluded_starts, np.int64)
        return Asked(_column(query.items, np.int32), starts, _column(query.excluded, np.int32), excluded_starts, own)

    def _formula(self) -> Formula:
        chosen = self._settings
        return Formula(
            neighbours=chosen.neighbours,
            position=chosen.position_decay ** np.arange(chosen.last_items, dtype=np.float64),
            distance=_distances(chosen),
            rarity=_rarities(chosen, len(self)),
        )


def _distances(settings: NeighbourSettings) -> NDArray[np.float64]:
    """Weight of a vote by places between item and match, from -s to s = session_items; shape (2 s +
    1,).
    """
    away = np.abs(np.arange(-settings.session_items, settings.session_items + 1))
    weights = settings.far_share + (1 - settings.far_share) * np.exp(-away / settings.vote_distance)
    weights[settings.session_items] = settings.revisit_weight
    return weights


def _rarities(settings: NeighbourSettings, sessions: int) -> NDArray[np.float64]:
    """(idf / largest idf) ^ rarity_power by number of postings that are read; shape (postings +
    1,).
    """
    postings = np.maximum(np.arange(settings.postings + 1), 1)
    idf: NDArray[np.float64] = np.log1p(sessions / postings) / np.log1p(max(sessions, 1))
    return idf**settings.rarity_power


def _flatten(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    return np.array([item for row in rows for item in row], np.int32), starts


def _column(values: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    # One memory layout and one type each, so that no second version is ever compiled.
    return np.ascontiguousarray(values, kind)

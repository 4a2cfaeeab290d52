"""A generated log of any size, for measurements at sizes of which there is no real log; it says
nothing of accuracy.

It has what real shops' logs have and what costs time: few items with most of the visits and a long
tail, short sessions with some long ones, items of a session near each other, returns to an item
just seen, many sessions at once, and a fashion that changes while the log goes on. The same sizes
and seed give the same log.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from app.datasets.record import Record
from models.contract.events import TOPIC_OF_KIND, Kind

BEGIN = 1_700_000_000.0
MEAN_SESSION = 3.0  # visits; REES46 has 2.4 a list, bol.com 4.7
LONGEST_SESSION = 60
SECONDS_BETWEEN_VISITS = 45.0
SESSIONS_AT_ONCE = 1_000
FLATTENING = 3.0  # added to an item's rank: a hundredth of 10,000 items has 18 % of the visits; 9 % of bol.com's clicks
FASHIONABLE, ERAS = 0.5, 20  # so many sessions follow what is in fashion, which changes so many times in a log
FRESH, RETURNS = 0.25, 0.35  # visits of something else, and of the item that the session is about
KIND_SHARES = (0.8, 0.12, 0.03, 0.05)
CATEGORIES = 200


@dataclass(frozen=True, slots=True)
class LogSize:
    """Numbers of users, items and sessions; with at least as many sessions as users, each user has
    one.
    """

    users: int
    items: int
    sessions: int


@dataclass(frozen=True, slots=True)
class GeneratedVisits:
    """Events in time order as columns of length n: numbers of user, item, session and kind; times
    in seconds.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    sessions: NDArray[np.int32]
    kinds: NDArray[np.int8]
    ts: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ts)

    def part(self, start: int, end: int) -> "GeneratedVisits":
        """The events from `start` up to `end`."""
        chosen = slice(start, end)
        return GeneratedVisits(
            self.users[chosen], self.items[chosen], self.sessions[chosen], self.kinds[chosen], self.ts[chosen]
        )


def generate(size: LogSize, seed: int) -> GeneratedVisits:
    """The log of this size."""
    draw = np.random.default_rng(seed)
    lengths = np.minimum(draw.geometric(1 / MEAN_SESSION, size.sessions), LONGEST_SESSION)
    session = np.repeat(np.arange(size.sessions, dtype=np.int32), lengths)
    seconds = size.sessions * MEAN_SESSION * SECONDS_BETWEEN_VISITS / SESSIONS_AT_ONCE
    start = np.sort(draw.uniform(0, seconds, size.sessions))
    pauses = draw.exponential(SECONDS_BETWEEN_VISITS, len(session))
    ts = BEGIN + start[session] + _within(pauses, lengths)
    kinds = draw.choice(len(KIND_SHARES), len(session), p=KIND_SHARES).astype(np.int8)
    users, items = _users(size, draw), _items(size, session, draw)
    order = np.argsort(ts, kind="stable")
    return GeneratedVisits(users[session][order], items[order], session[order], kinds[order], np.round(ts[order], 3))


def records(visits: GeneratedVisits, first: int) -> Iterator[Record]:
    """The events as producers send them; `first` is the number of the first one, which names it."""
    columns = (visits.users, visits.items, visits.sessions, visits.kinds, visits.ts)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for number, (user, item, session, kind, ts) in enumerate(rows, first):
        event = {
            "event_id": f"e{number:012d}",
            "user_id": user_name(user),
            "item_id": item_name(item),
            "session_id": session_name(session),
            "ts": ts,
        }
        yield Record(TOPIC_OF_KIND[Kind(kind)], user_name(user).encode(), orjson.dumps(event), ts)


def catalogue(items: int) -> Iterator[Record]:
    """The catalogue of that many items, each in one of some categories."""
    for item in range(items):
        name, category = item_name(item), f"c{item * 7919 % CATEGORIES}"
        content = orjson.dumps({"item_id": name, "title": f"Item {item}", "category": category})
        yield Record("items", name.encode(), content, None)


def user_name(user: int) -> str:
    """The id of a user by number."""
    return f"u{user:09d}"


def item_name(item: int) -> str:
    """The id of an item by number."""
    return f"p{item:09d}"


def session_name(session: int) -> str:
    """The id of a session by number."""
    return f"s{session:011d}"


def _within(pauses: NDArray[np.float64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds since the session's first visit: the sum of its pauses before each visit."""
    ends = np.cumsum(lengths)
    total = np.cumsum(pauses)
    since: NDArray[np.float64] = total - np.repeat(total[ends - lengths], lengths)
    return since


def _users(size: LogSize, draw: np.random.Generator) -> NDArray[np.int32]:
    """All users in any order, then all of them again; shape (sessions,).

    So with any number of users a batch holds about as many of them, and as many lists follow from
    an event.
    """
    rounds = -(-size.sessions // size.users)
    return np.concatenate([draw.permutation(size.users) for _ in range(rounds)])[: size.sessions].astype(np.int32)


def _items(size: LogSize, session: NDArray[np.int32], draw: np.random.Generator) -> NDArray[np.int32]:
    place_of_rank = draw.permutation(size.items)
    ranks = _zipf(size.items, size.sessions, draw)
    era = np.arange(size.sessions) * ERAS // max(size.sessions, 1)
    shift = np.where(draw.random(size.sessions) < FASHIONABLE, era * (size.items // (2 * ERAS)), 0)
    wanted = place_of_rank[(ranks + shift) % size.items][session]
    # Items of a session lie around what it is about; what is far from it is a visit of something
    # else.
    near = wanted + draw.geometric(0.15, len(session)) * draw.choice((-1, 1), len(session))
    items = np.where(draw.random(len(session)) < RETURNS, wanted, near) % size.items
    fresh = np.flatnonzero(draw.random(len(session)) < FRESH)
    items[fresh] = place_of_rank[_zipf(size.items, len(fresh), draw)]
    return items.astype(np.int32)


def _zipf(n: int, count: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Ranks below n, rank r in proportion to 1 / (r + FLATTENING)."""
    low, high = np.log(FLATTENING), np.log(n + FLATTENING)
    ranks = np.exp(draw.uniform(low, high, count)) - FLATTENING
    return np.minimum(ranks.astype(np.int64), n - 1)

"""A naive neighbour index over all events, and small readers of the real one."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from models.neighbours.arrays import CLOSED, OPENED, Lists
from models.neighbours.index import NeighbourIndex, NeighbourSettings, Queries
from models.vocabulary import Vocabulary

# Small enough that nearly every example reaches every limit.
SMALL = NeighbourSettings(neighbours=3, postings=4, session_items=3, last_items=3, revisit_weight=1.5)
NAMES = [f"item {n}" for n in range(7)]
SESSIONS = [3, 2**63 + 5, 2**64 - 1, 17, 1024]

Event = tuple[int, str, float]
event = st.tuples(st.sampled_from(SESSIONS), st.sampled_from(NAMES), st.integers(0, 6).map(float))
# By itself, hypothesis draws about five events, and no list ever overflows.
events = st.one_of(st.lists(event, max_size=10), st.lists(event, min_size=30, max_size=60))
recent_items = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)
Ranking = list[tuple[str, float]]
Postings = dict[str, list[tuple[int, float]]]
Sessions = dict[int, list[tuple[str, float]]]


def build(log: list[Event], chosen: NeighbourSettings = SMALL, batch: int = 1_000) -> NeighbourIndex:
    vocabulary = Vocabulary()
    index = NeighbourIndex(chosen, vocabulary)
    for start in range(0, len(log), batch):
        sessions, items, ts = zip(*log[start : start + batch], strict=True)
        index.update(np.array(sessions, np.uint64), vocabulary.numbers(items), np.array(ts, np.float64))
    return index


def content(index: NeighbourIndex) -> set[Event]:
    columns = index.snapshot()
    names = read_names(index)
    rows = zip(columns["sessions"].tolist(), columns["items"].tolist(), columns["ts"].tolist(), strict=True)
    return {(session, names[item], ts) for session, item, ts in rows}


def read_names(index: NeighbourIndex) -> list[str]:
    columns = index.snapshot()
    text, starts = columns["names"].tobytes(), columns["name_starts"].tolist()
    return [text[a:b].decode() for a, b in pairwise(starts)]


def lists(index: NeighbourIndex) -> tuple[Postings, Sessions]:
    """Return all postings by item, and all sessions by hash, each list as it is in memory."""
    held, names = index.copy(index.room()), read_names(index)
    mask = len(held.postings.keys) - 1
    keys = held.postings.keys.tolist()
    postings = {
        name: [(keys[session & mask], ts) for session, ts in read_list(held.postings, item)]
        for item, name in enumerate(names)
    }
    opened = range(held.counters[CLOSED], held.counters[OPENED])
    sessions = {
        keys[session & mask]: [(names[item], ts) for item, ts in read_list(held.sessions, session & mask)]
        for session in opened
    }
    return postings, sessions


def read_list(lists: Lists, owner: int) -> list[tuple[int, float]]:
    base, head, size, room = lists.owners[owner].tolist()
    return [lists.cells[base + (head + i) % room].tolist() for i in range(size)]


def ask(index: NeighbourIndex, recent: list[str], own: int = 0, n: int = 4) -> Ranking:
    names = read_names(index)
    numbers = [names.index(item) if item in names else 1_000_000 for item in recent]
    items, scores = index.predict_many(Queries.build([(numbers, numbers[:1], own)]), np.zeros(0, np.float32), n)
    pairs = zip(items[0].tolist(), scores[0].tolist(), strict=True)
    return [(names[item], score) for item, score in pairs if item >= 0]


@dataclass
class Reference:
    """Computes the formula of `models.neighbours.index` with dictionaries over all events."""

    log: list[Event]

    def __post_init__(self) -> None:
        last: dict[tuple[int, str], float] = {}
        for session, item, ts in self.log:
            last[session, item] = max(ts, last.get((session, item), ts))
        self.sessions = {
            session: [item for _, _, item in sorted((ts, fnv(i), i) for (s, i), ts in last.items() if s == session)][
                -SMALL.session_items :
            ]
            for session in {session for session, _, _ in self.log}
        }
        self.postings = {
            item: sorted((ts, s) for (s, i), ts in last.items() if i == item in self.sessions[s])[-SMALL.postings :]
            for item in {item for _, item, _ in self.log}
        }

    def rarity(self, item: str) -> float:
        idf = np.log1p(len(self.sessions) / np.arange(1.0, SMALL.postings + 1)) / np.log1p(len(self.sessions))
        return float((idf**SMALL.rarity_power)[max(len(self.postings[item]) - 1, 0)])

    def nearest(self, recent: list[str], own: int) -> list[int]:
        found: dict[int, tuple[float, float, int]] = {}
        for place, item in enumerate(recent[: SMALL.last_items]):
            for ts, session in self.postings.get(item, []):
                similarity, latest, _ = found.get(session, (0.0, ts, session))
                similarity += SMALL.position_decay**place * self.rarity(item)
                found[session] = (similarity, max(ts, latest), session)
        found.pop(own, None)
        return sorted(found, key=lambda session: found[session], reverse=True)[: SMALL.neighbours]

    def scores(self, recent: list[str], own: int) -> dict[str, float]:
        scores: dict[str, float] = {}
        for session in self.nearest(recent, own):
            items = self.sessions[session]
            for place, match in enumerate(recent[: SMALL.last_items]):
                for item in items if match in items else []:
                    share = SMALL.position_decay**place * self.rarity(match) * self.rarity(item)
                    away = abs(items.index(item) - items.index(match))
                    near = SMALL.far_share + (1 - SMALL.far_share) * np.exp(-away / SMALL.vote_distance)
                    scores[item] = scores.get(item, 0.0) + share * (near if away else SMALL.revisit_weight)
        scores.pop(recent[0], None)
        return scores


def fnv(name: str) -> int:
    key = 14695981039346656037
    for byte in name.encode():
        key = (key ^ byte) * 1099511628211 % 2**64
    return key

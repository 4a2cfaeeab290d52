"""Recommenders by neighbouring sessions, to compare with: STAN (Garg et al., SIGIR 2019) and VSTAN.

    similarity(s, n) = Σ over common items: exp(-(|s| - place in s) / 1.02) / sqrt(|s| |n|)
    score(i) = Σ over n: similarity · exp(-age of n in days / 5)
                       · exp(-|place of i - place of i*| / 2.05)

i* is the newest item of s that n has. VSTAN (Ludewig et al., UMUAI 2021) takes a cosine of the
weights and multiplies a vote by 1 + 5 · idf(i), so that rare items count more, and by

    exp(-(|s| - place of i* in s) / 1.02)

The constants are those of the framework session-rec of the same authors.
"""

from dataclasses import dataclass, field
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from models.evaluation.related_peers import PopularItems
from models.recommender import LearningBatch

NEIGHBOURS = 500
SAMPLED = 1_000  # newest sessions of an item that are looked at
LONGEST = 100  # newest items of a session that are kept
BY_PLACE = 1.02
BY_AGE = 5.0 * 86_400.0
BY_DISTANCE = 2.05
RARITY = 5.0  # how strongly rare items count more, in VSTAN


@dataclass(slots=True)
class _Session:
    items: list[int] = field(default_factory=list)
    newest: float = 0.0


class SessionNeighbours(PopularItems):
    """Remembers sessions; those that share items with a session say what comes next."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[int, _Session] = {}
        self._of_item: dict[int, dict[int, None]] = {}
        self._held: dict[int, int] = {}  # sessions that had the item
        self._now = 0.0

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Take the events into their sessions."""
        super().learn(events, users)
        columns = (events.items.tolist(), events.sessions.tolist(), events.ts.tolist())
        for item, key, ts in zip(*columns, strict=True):
            session = self._sessions.setdefault(key, _Session())
            if item not in session.items:
                self._held[item] = self._held.get(item, 0) + 1
            session.items = [*session.items[1 - LONGEST :], item]
            session.newest = self._now = ts
            holders = self._of_item.setdefault(item, {})
            holders.pop(key, None)
            holders[key] = None
            if len(holders) > SAMPLED:
                del holders[next(iter(holders))]

    def scores(self, seen: NDArray[np.int32], own: int) -> dict[int, float]:
        """Votes of the nearest sessions."""
        place = {item: at for at, item in enumerate(seen.tolist())}
        weights = {item: exp((at + 1 - len(seen)) / BY_PLACE) for item, at in place.items()}
        near: dict[int, float] = {}
        for item, weight in weights.items():
            for key in self._of_item.get(item, ()):
                near[key] = near.get(key, 0.0) + weight
        near.pop(own, None)
        norm = self._norm(seen, weights)
        for key in near:
            session = self._sessions[key]
            near[key] *= exp((session.newest - self._now) / BY_AGE) / sqrt(norm * self._length(session.items))
        totals: dict[int, float] = {}
        for key in sorted(near, key=lambda each: near[each], reverse=True)[:NEIGHBOURS]:
            items = self._sessions[key].items
            known = [(place[item], at) for at, item in enumerate(items) if item in place]
            if known:
                newest, common = max(known)
                self._vote(totals, items, common, near[key] * self._trust(newest + 1 - len(seen)))
        return totals

    def _norm(self, seen: NDArray[np.int32], weights: dict[int, float]) -> float:
        return float(len(seen))

    def _length(self, items: list[int]) -> int:
        return len(items)

    def _trust(self, place: int) -> float:
        """What a session's vote weighs whose newest common item stands so far before the end."""
        return 1.0

    def _vote(self, totals: dict[int, float], items: list[int], common: int, weight: float) -> None:
        for at, item in enumerate(items):
            totals[item] = totals.get(item, 0.0) + weight * exp(-abs(at - common) / BY_DISTANCE)


class WeighedSessionNeighbours(SessionNeighbours):
    """VSTAN."""

    def _norm(self, seen: NDArray[np.int32], weights: dict[int, float]) -> float:
        return sum(weight * weight for weight in weights.values())

    def _length(self, items: list[int]) -> int:
        return len(set(items))

    def _trust(self, place: int) -> float:
        return exp(place / BY_PLACE)

    def _vote(self, totals: dict[int, float], items: list[int], common: int, weight: float) -> None:
        for item, at in {item: at for at, item in enumerate(items)}.items():  # where it stands last
            rare = 1.0 + RARITY * log(len(self._sessions) / self._held[item])
            totals[item] = totals.get(item, 0.0) + weight * rare * exp(-abs(at - common) / BY_DISTANCE)

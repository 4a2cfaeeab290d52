"""STAN, a recommender by neighbouring sessions, to compare with (Garg et al., SIGIR 2019).

    similarity(s, n) = Σ over common items: exp(-(|s| - place in s) / 1.02) / sqrt(|s| |n|)
    score(i) = Σ over n: similarity · exp(-age of n in days / 5)
                       · exp(-|place of i - place of i*| / 2.05)

i* is the newest item of s that n has. The constants are those of the framework session-rec (Ludewig
et al., UMUAI 2021).
"""

from dataclasses import dataclass, field
from math import exp, sqrt

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
        self._now = 0.0

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Take the events into their sessions."""
        super().learn(events, users)
        columns = (events.items.tolist(), events.sessions.tolist(), events.ts.tolist())
        for item, key, ts in zip(*columns, strict=True):
            session = self._sessions.setdefault(key, _Session())
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
        near: dict[int, float] = {}
        for item, at in place.items():
            weight = exp((at + 1 - len(seen)) / BY_PLACE)
            for key in self._of_item.get(item, ()):
                near[key] = near.get(key, 0.0) + weight
        near.pop(own, None)
        for key in near:
            session = self._sessions[key]
            near[key] *= exp((session.newest - self._now) / BY_AGE) / sqrt(len(seen) * len(session.items))
        totals: dict[int, float] = {}
        for key in sorted(near, key=lambda each: near[each], reverse=True)[:NEIGHBOURS]:
            items = self._sessions[key].items
            known = [(place[item], at) for at, item in enumerate(items) if item in place]
            if not known:
                continue
            common = max(known)[1]
            for at, item in enumerate(items):
                totals[item] = totals.get(item, 0.0) + near[key] * exp(-abs(at - common) / BY_DISTANCE)
        return totals

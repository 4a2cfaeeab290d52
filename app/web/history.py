"""Keeps the last hour of the workers' figures, and the newest lists, so that a reload of the page
loses nothing.
"""

from collections import deque
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.store.answers import LiveFigures, WorkerFigures

POINT_SECONDS = 5.0
POINTS = 720  # an hour
FEED_ENTRIES = 12
FEED_SECONDS = 900.0
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """About 5 seconds of all workers together, which end at `at` (seconds since 1970).

    `kinds` (accepted ones), `duplicates` and `quarantined` are events a second. `reasons` are
    records sent to quarantine in these seconds. Freshness is in seconds, `lag` in events.
    """

    at: float
    kinds: Mapping[str, float]
    duplicates: float
    quarantined: float
    reasons: Mapping[str, int]
    scored: Mapping[str, int]
    hits: Mapping[str, int]
    freshness_p50: float | None
    freshness_p99: float | None
    lag: Mapping[str, int]
    ready: int
    workers: int


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A user's newest event and the head of the list that followed. `at` is when it was noticed."""

    at: float
    user_id: str
    event: Mapping[str, Any]
    items: tuple[Mapping[str, Any], ...]


class History:
    """Holds points, the newest lists and the present figures. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._points: deque[Point] = deque(maxlen=POINTS)
        self._feed: deque[FeedEntry] = deque(maxlen=FEED_ENTRIES)
        self._live: LiveFigures | None = None
        self._problem = ""
        self._at = 0.0
        self._marked: tuple[float, LiveFigures] | None = None

    @property
    def at(self) -> float:
        """Return when the last figures came, or were missed."""
        return self._at

    def add(self, at: float, live: LiveFigures, feed: Iterable[FeedEntry] = ()) -> None:
        """Take the figures of now. Every 5 seconds they become a point."""
        self._at, self._live, self._problem = at, live, ""
        self._feed.extend(feed)
        if self._marked is None or at < self._marked[0]:  # a clock that was set back
            self._marked = at, live
        elif at - self._marked[0] >= POINT_SECONDS - 0.5:  # the figures come about once a second
            self._points.append(_point(at, live, *self._marked))
            self._marked = at, live

    def users(self) -> set[str]:
        """Return the users of the newest lists."""
        return {entry.user_id for entry in self._feed}

    def drop(self, users: Container[str]) -> None:
        """Keep nothing of these users."""
        self._feed = deque((entry for entry in self._feed if entry.user_id not in users), FEED_ENTRIES)

    def miss(self, at: float, problem: str) -> None:
        """Note that the figures of now could not be read, and why."""
        self._at, self._problem = at, problem

    def since(self, at: float) -> dict[str, Any]:
        """Return the present figures, and the points and lists that came after `at`."""
        oldest = max(at, self._at - FEED_SECONDS)
        return {
            "at": self._at,
            "problem": self._problem,
            "live": None if self._live is None else asdict(self._live),
            "points": [asdict(point) for point in self._points if point.at > at],
            "feed": [asdict(entry) for entry in self._feed if entry.at > oldest],
        }


def _point(at: float, live: LiveFigures, marked_at: float, marked: LiveFigures) -> Point:
    before = {worker.worker_id: worker for worker in marked.workers}
    # A worker that was not there before is left out: its counters say what it did since it started.
    pairs = [(before[worker.worker_id], worker) for worker in live.workers if worker.worker_id in before]
    seconds = at - marked_at
    kinds = _grown(pairs, "kinds")
    return Point(
        at=at,
        kinds={kind: round(count / seconds, DIGITS) for kind, count in kinds.items()},
        duplicates=_rate(pairs, "duplicates", seconds),
        quarantined=_rate(pairs, "quarantined", seconds),
        reasons=_grown(pairs, "reasons"),
        scored=_grown(pairs, "scored"),
        hits=_grown(pairs, "hits"),
        freshness_p50=live.freshness_p50,
        freshness_p99=live.freshness_p99,
        lag=live.lag_by_topic,
        ready=sum(worker.ready for worker in live.workers),
        workers=len(live.workers),
    )


def _grown(pairs: Iterable[tuple[WorkerFigures, WorkerFigures]], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for earlier, later in pairs:
        before, after = getattr(earlier, name), getattr(later, name)
        for each, count in after.items():
            # A worker that was started again counts from 0.
            grown = max(0, count - before.get(each, 0))
            found[each] = found.get(each, 0) + grown
    return found


def _rate(pairs: Iterable[tuple[WorkerFigures, WorkerFigures]], name: str, seconds: float) -> float:
    grown: int = sum(max(0, getattr(later, name) - getattr(earlier, name)) for earlier, later in pairs)
    return round(grown / seconds, DIGITS)

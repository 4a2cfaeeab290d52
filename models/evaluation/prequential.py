"""Evaluate event by event in time order: recommend, score, then learn (prequential; Vinagre et al.,
2015).

An event is predicted from what its session held before it. Learning may lag behind by a delay;
what a session holds never does.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.ranker.relation_kernel import NO_SESSION, SessionTrails, follow
from models.ranker.relations import SESSIONS, TRAIL, Prefixes
from models.ranker.sharing import in_sample
from models.recommender import LearningBatch

LEARNED_AT_ONCE = 10_000
NEVER = math.inf  # the delay of what is learned no more


class EventStream(NamedTuple):
    """Events in time order, and the hashes of who did them, (n,)."""

    events: LearningBatch
    users: NDArray[np.uint64]

    def part(self, first: int, to: int) -> "EventStream":
        """The events from `first` to before `to`."""
        items, sessions, ts, kinds = self.events
        part = LearningBatch(items[first:to], sessions[first:to], ts[first:to], kinds[first:to])
        return EventStream(part, self.users[first:to])


class Answers(NamedTuple):
    """Lists for n sessions: items, best first, (n, size), padded with a number below 0; the rank
    that the formula gave the target, from 1, 0 for none, (n,); and a mask of what found the target,
    (n,).
    """

    items: NDArray[np.int32]
    formula: NDArray[np.int64]
    found_by: NDArray[np.uint16]


class Contender(Protocol):
    """What is evaluated."""

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        """Take in events."""

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        """Lists for sessions that hold what `before` says and have the hashes `own`; `targets` are
        what came next, for the record only.
        """


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How a stream is evaluated.

    - `since`: time in seconds of the first event that is predicted;
    - `delay`: seconds by which learning lags; NEVER: nothing from `since` on is learned;
    - `batch`: events that are predicted before any of them is learned;
    - `limit`: about so many predictions at most; they are those of a sample of the sessions.
    """

    since: float = -math.inf
    delay: float = 0.0
    batch: int = 32
    limit: int | None = None


class Scored(NamedTuple):
    """Predictions in time order, all columns (n,): which event of the stream, the rank of its item
    in the list and in the formula's, from 1 and 0 for none, and a mask of what found it.

    `shown` holds the numbers of all items that were listed.
    """

    events: NDArray[np.int64]
    ranks: NDArray[np.int64]
    formula: NDArray[np.int64]
    found_by: NDArray[np.uint16]
    shown: NDArray[np.int32]


def evaluate(stream: EventStream, learner: Contender, plan: StreamPlan, show: Callable[[int, int], None]) -> Scored:
    """Predict each event that is not its session's first, then learn it once the delay is over.

    `show` is called with the number of events that are done, and of all.
    """
    events, count = stream.events, len(stream.users)
    start, learned = int(np.searchsorted(events.ts, plan.since)), 0
    wanted, trails, scored = wanted_events(stream, plan), empty_trails(), []
    for first in range(0, start, LEARNED_AT_ONCE):
        _follow(trails, stream.part(first, min(first + LEARNED_AT_ONCE, start)))
    for first in range(start, count, plan.batch):
        for begin, to in _ready(events.ts, learned, first, start, plan.delay):
            part = stream.part(begin, to)
            learner.learn(part.events, part.users)
            learned = to
            show(max(to, first), count)
        part = stream.part(first, first + plan.batch)
        before = _follow(trails, part)
        rows = np.flatnonzero(wanted[first : first + plan.batch] & (before.sizes > 0))
        if len(rows):
            scored.append(_score(learner, part, before, rows, first))
        show(min(first + plan.batch, count), count)
    return _joined(scored)


def _ready(ts: NDArray[np.float64], learned: int, first: int, start: int, delay: float) -> Iterator[tuple[int, int]]:
    """What may be learned before event `first` is predicted, beyond what was, in parts."""
    until = start if delay == NEVER else min(int(np.searchsorted(ts, ts[first] - delay, side="right")), first)
    for begin in range(learned, until, LEARNED_AT_ONCE):
        yield begin, min(begin + LEARNED_AT_ONCE, until)


def _score(learner: Contender, part: EventStream, before: Prefixes, rows: NDArray[np.intp], first: int) -> Scored:
    targets, own = part.events.items[rows], part.events.sessions[rows]
    answers = learner.answers(Prefixes(before.items[rows], before.sizes[rows]), own, targets)
    ranks = ranks_of(answers.items, targets)
    shown = np.unique(answers.items[answers.items >= 0])
    return Scored(first + rows.astype(np.int64), ranks, answers.formula, answers.found_by, shown)


def ranks_of(lists: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where lists (n, size) have the targets (n,), from 1; 0 where they do not.

    >>> ranks_of(np.array([[4, 7], [4, 7]], np.int32), np.array([7, 5], np.int32)).tolist()
    [2, 0]
    """
    hit = lists == targets[:, None]
    return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0).astype(np.int64)


def wanted_events(stream: EventStream, plan: StreamPlan) -> NDArray[np.bool_]:
    """Which events are predicted if their session held anything before; whole sessions by hash."""
    count = len(stream.users)
    to_score = stream.events.ts >= plan.since
    to_score[np.unique(stream.events.sessions, return_index=True)[1]] = False  # nothing is before it
    share = 1.0 if plan.limit is None else min(1.0, plan.limit / max(int(np.count_nonzero(to_score)), 1))
    return in_sample(stream.events.sessions, np.zeros(count, np.int32), np.zeros(count), share)


def empty_trails() -> SessionTrails:
    """Return the trails of no sessions."""
    return SessionTrails(
        np.full(SESSIONS, NO_SESSION, np.uint64), np.zeros((SESSIONS, TRAIL), np.int32), np.zeros(SESSIONS, np.int32)
    )


def _follow(trails: SessionTrails, part: EventStream) -> Prefixes:
    count = len(part.users)
    before = Prefixes(np.zeros((count, TRAIL), np.int32), np.zeros(count, np.int32))
    follow(trails, part.events.sessions, part.events.items, before.items, before.sizes)
    return before


def _joined(parts: list[Scored]) -> Scored:
    if not parts:
        none = np.zeros(0, np.int64)
        return Scored(none, none, none, none.astype(np.uint16), none.astype(np.int32))
    joined = Scored(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return joined._replace(shown=np.unique(joined.shown))

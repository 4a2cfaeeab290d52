"""What the console shows beside what shops read, decoded from raw Redis values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from headrace.answers import CatalogueEntry
from headrace.errors import UnreadableAnswer

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class HiddenEntries:
    """Items that a verdict hides, and how many there are, as far as workers list them."""

    entries: list[CatalogueEntry]
    total: int


@dataclass(frozen=True, slots=True)
class AllowedEntry:
    """An item that no verdict hides, and when the shop decided so, in seconds since 1970."""

    entry: CatalogueEntry
    allowed_at: float


@dataclass(frozen=True, slots=True)
class RecentUser:
    """A user whose list was written lately; `generated_at` in seconds since 1970."""

    user_id: str
    generated_at: float


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One worker's live figures: counters since its start, a rate, and freshness in seconds.

    `kinds` counts accepted events by kind, `reasons` records sent to quarantine, events and items.
    `lag_by_topic` holds events behind the ends of its partitions. `listed` counts items of lists by
    source; `scored`, `hits` and `reciprocals` are, by kind, the events that were looked for in
    their users' lists, those found there, and the sum of 1 / rank. `ranker` tells what ranks lists.
    """

    worker_id: str
    ts: float
    accepted: int = 0
    duplicates: int = 0
    foreign_key: int = 0
    quarantined: int = 0
    items_quarantined: int = 0
    recommendations: int = 0
    events_per_second: float = 0.0
    freshness_p50: float | None = None
    freshness_p99: float | None = None
    lag: int | None = None
    ready: bool = False
    kinds: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    lag_by_topic: Mapping[str, int] = field(default_factory=dict)
    unknown_items: int = 0
    listed: Mapping[str, int] = field(default_factory=dict)
    scored: Mapping[str, int] = field(default_factory=dict)
    hits: Mapping[str, int] = field(default_factory=dict)
    hits_by_source: Mapping[str, int] = field(default_factory=dict)
    reciprocals: Mapping[str, float] = field(default_factory=dict)
    ranker: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """All workers together: counters and rates added up; freshness is the slowest worker's, in
    seconds.
    """

    accepted: int
    duplicates: int
    foreign_key: int
    quarantined: int
    items_quarantined: int
    recommendations: int
    events_per_second: float
    freshness_p50: float | None
    freshness_p99: float | None
    lag: int | None
    kinds: Mapping[str, int]
    reasons: Mapping[str, int]
    lag_by_topic: Mapping[str, int]
    unknown_items: int
    listed: Mapping[str, int]
    scored: Mapping[str, int]
    hits: Mapping[str, int]
    hits_by_source: Mapping[str, int]
    reciprocals: Mapping[str, float]
    workers: tuple[WorkerFigures, ...] = field(default=())


def decode_times(reply: Mapping[bytes, bytes] | Sequence[bytes]) -> dict[str, float]:
    """The times of a hash by their names. Raises UnreadableAnswer."""
    pairs = reply.items() if isinstance(reply, Mapping) else zip(reply[::2], reply[1::2], strict=True)
    try:
        return {name.decode(): float(at) for name, at in pairs}
    except ValueError as error:
        raise UnreadableAnswer(f"A stored decision is not what Headrace writes: {error!r}") from None


def decode_worker(raw: bytes) -> WorkerFigures:
    """One worker's figures; what an older one does not write keeps its default. Raises
    UnreadableAnswer.
    """
    try:
        stored = orjson.loads(raw)
        known = WorkerFigures.__dataclass_fields__
        return WorkerFigures(**{name: value for name, value in stored.items() if name in known})
    except (ValueError, AttributeError, TypeError) as error:
        raise UnreadableAnswer(f"A worker's figures are not what Headrace writes: {error!r}") from None


def sum_figures(workers: Sequence[WorkerFigures]) -> LiveFigures:
    """All workers as one. Percentiles cannot be added up, so the slowest worker's stand for all."""
    return LiveFigures(
        accepted=sum(worker.accepted for worker in workers),
        duplicates=sum(worker.duplicates for worker in workers),
        foreign_key=sum(worker.foreign_key for worker in workers),
        quarantined=sum(worker.quarantined for worker in workers),
        items_quarantined=sum(worker.items_quarantined for worker in workers),
        recommendations=sum(worker.recommendations for worker in workers),
        events_per_second=sum(worker.events_per_second for worker in workers),
        freshness_p50=_slowest(worker.freshness_p50 for worker in workers),
        freshness_p99=_slowest(worker.freshness_p99 for worker in workers),
        lag=sum(lags) if (lags := [worker.lag for worker in workers if worker.lag is not None]) else None,
        kinds=_added(worker.kinds for worker in workers),
        reasons=_added(worker.reasons for worker in workers),
        lag_by_topic=_added(worker.lag_by_topic for worker in workers),
        unknown_items=sum(worker.unknown_items for worker in workers),
        listed=_added(worker.listed for worker in workers),
        scored=_added(worker.scored for worker in workers),
        hits=_added(worker.hits for worker in workers),
        hits_by_source=_added(worker.hits_by_source for worker in workers),
        reciprocals=_added(worker.reciprocals for worker in workers),
        workers=tuple(sorted(workers, key=lambda worker: worker.worker_id)),
    )


def _added(counts: Iterable[Mapping[str, N]]) -> dict[str, N]:
    found: dict[str, N] = {}
    for each in counts:
        for name, count in each.items():
            found[name] = found[name] + count if name in found else count
    return found


def _slowest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)

"""Tell where predictions were right: over time, for cold users and items, by kind and by source."""

from collections.abc import Mapping
from math import log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Kind
from models.evaluation.confidence import Interval, interval
from models.evaluation.prequential import EventStream, Scored
from models.ranker.prefixes import SOURCES

WINDOWS = 10
SEED = 0  # of the bootstrap


class QualityPart(NamedTuple):
    """Means over some predictions."""

    predictions: int
    hit_rate: float
    mrr: float


class WindowPart(NamedTuple):
    """Means over the predictions of a span of time, which begins at `since`, in seconds."""

    since: float
    whole: QualityPart


class SourcePart(NamedTuple):
    """Share of all predictions whose item the source had among its candidates, and share of these
    that were hits.
    """

    found: float
    hit_rate: float


class Breakdown(NamedTuple):
    """All figures of one run; `hit_rate` and `mrr` have intervals by session."""

    whole: QualityPart
    formula: QualityPart
    ndcg: float
    coverage: float
    hit_rate: Interval
    mrr: Interval
    windows: list[WindowPart]
    cold_users: QualityPart
    cold_items: QualityPart
    kinds: Mapping[str, QualityPart]
    sources: Mapping[str, SourcePart]


def break_down(stream: EventStream, scored: Scored, catalogue_size: int) -> Breakdown:
    """Figures of all predictions and of parts of them.

    A cold user did nothing before the session; of a cold item there was no event before.
    """
    events, at = stream.events, scored.events
    hits, shares = _gains(scored.ranks)
    ts, kinds = events.ts[at], events.kinds[at]
    session = np.unique(events.sessions[at], return_inverse=True)[1].astype(np.int64)
    is_cold_user, is_cold_item = _cold(stream)
    random = np.random.default_rng(SEED)
    return Breakdown(
        whole=_part(hits, shares),
        formula=_part(*_gains(scored.formula)),
        ndcg=float(np.mean([1.0 / log2(rank + 1) if rank else 0.0 for rank in scored.ranks.tolist()] or [0.0])),
        coverage=len(scored.shown) / max(catalogue_size, 1),
        hit_rate=interval(hits, session, random),
        mrr=interval(shares, session, random),
        windows=_windows(ts, hits, shares),
        cold_users=_part(hits, shares, is_cold_user[at]),
        cold_items=_part(hits, shares, is_cold_item[at]),
        kinds={kind.label: _part(hits, shares, kinds == kind) for kind in Kind if (kinds == kind).any()},
        sources=_sources(scored.found_by, hits),
    )


def _gains(ranks: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hits, and 1 / rank; 0 for a miss."""
    hits = (ranks > 0).astype(np.float64)
    return hits, hits / np.maximum(ranks, 1)


def _part(
    hits: NDArray[np.float64], shares: NDArray[np.float64], chosen: NDArray[np.bool_] | slice = slice(None)
) -> QualityPart:
    count = len(hits[chosen])
    return QualityPart(count, float(hits[chosen].sum()) / max(count, 1), float(shares[chosen].sum()) / max(count, 1))


def _windows(ts: NDArray[np.float64], hits: NDArray[np.float64], shares: NDArray[np.float64]) -> list[WindowPart]:
    """Spans of equal length from the first prediction to the last."""
    if not len(ts):
        return []
    length = max(float(ts[-1] - ts[0]), 1.0) / WINDOWS
    place = np.minimum(((ts - ts[0]) / length).astype(np.int64), WINDOWS - 1)
    return [
        WindowPart(float(ts[0]) + window * length, _part(hits, shares, place == window)) for window in range(WINDOWS)
    ]


def _cold(stream: EventStream) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each event, (n,): whether its user had done nothing before its session, and whether its
    item had no event before.
    """
    events, count = stream.events, len(stream.users)
    _, first, item = np.unique(events.items, return_index=True, return_inverse=True)
    is_cold_item = first[item] == np.arange(count)
    _, first, user = np.unique(stream.users, return_index=True, return_inverse=True)
    return events.sessions[first[user]] == events.sessions, is_cold_item


def _sources(found_by: NDArray[np.uint16], hits: NDArray[np.float64]) -> dict[str, SourcePart]:
    sources = {}
    for bit, name in enumerate(SOURCES):
        is_found = (found_by >> np.uint16(bit)) & np.uint16(1) == 1
        if is_found.any():
            sources[name] = SourcePart(float(is_found.mean()), float(hits[is_found].mean()))
    return sources

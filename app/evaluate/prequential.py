"""Runs the prequential protocol, for each delay with a recommender of its own, for the command."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.errors import HeadraceError
from app.evaluate.lister import Lister
from models.evaluation.breakdown import Breakdown, QualityPart, break_down
from models.evaluation.confidence import Interval, mcnemar
from models.evaluation.prequential import NEVER, EventStream, Scored, StreamPlan, evaluate

CUTOFF = 20

Show = Callable[[str], None]


class BegunRun(NamedTuple):
    """What learns, before its first event, and the events, with its item numbers."""

    lister: Lister
    stream: EventStream


@dataclass(frozen=True, slots=True)
class StreamRun:
    """What came out for one delay, in seconds."""

    delay: float
    breakdown: Breakdown
    scored: Scored
    stream: EventStream
    figures: Mapping[str, object]


def run_delays(begin: Callable[[], BegunRun], plan: StreamPlan, delays: Sequence[float], show: Show) -> list[StreamRun]:
    """Evaluate once for each delay. Raises HeadraceError when there is nothing to predict."""
    return [_run(begin, replace(plan, delay=delay), show) for delay in delays]


def _run(begin: Callable[[], BegunRun], plan: StreamPlan, show: Show) -> StreamRun:
    lister, stream = begin()
    lister.warm_up()
    lister.begin()
    name = f"delay {delay_text(plan.delay)}: "
    scored = evaluate(stream, lister, plan, lambda done, of: show(f"{name}{done:,} of {of:,} events"))
    if not len(scored.events):
        raise HeadraceError("no event to be predicted follows another one of its session: nothing to predict")
    breakdown = break_down(stream, scored, len(lister.recommender.items))
    return StreamRun(plan.delay, breakdown, scored, stream, lister.figures())


def delay_text(seconds: float) -> str:
    """Return the delay as it is written.

    >>> delay_text(3600.0), delay_text(90.0), delay_text(float("inf"))
    ('1h', '90s', 'never')
    """
    if seconds == NEVER:
        return "never"
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def as_json(run: StreamRun) -> dict[str, object]:
    """Return a run's figures under the field's standard names."""
    each = run.breakdown
    return {
        "delay": delay_text(run.delay),
        "predictions": each.whole.predictions,
        f"hit_rate@{CUTOFF}": _bounds(each.hit_rate),
        f"mrr@{CUTOFF}": _bounds(each.mrr),
        f"ndcg@{CUTOFF}": round(each.ndcg, 4),
        f"coverage@{CUTOFF}": round(each.coverage, 4),
        "formula": _part(each.formula),
        "cold_users": _part(each.cold_users),
        "cold_items": _part(each.cold_items),
        "kinds": {name: _part(part) for name, part in each.kinds.items()},
        "sources": {
            name: {"found": round(part.found, 4), f"hit_rate@{CUTOFF}": round(part.hit_rate, 4)}
            for name, part in each.sources.items()
        },
        "windows": [{"since": round(part.since, 3), **_part(part.whole)} for part in each.windows],
        **run.figures,
    }


def _bounds(found: Interval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in found._asdict().items()}


def _part(part: QualityPart) -> dict[str, float]:
    return {
        "predictions": part.predictions,
        f"hit_rate@{CUTOFF}": round(part.hit_rate, 4),
        f"mrr@{CUTOFF}": round(part.mrr, 4),
    }


def save_ranks(run: StreamRun, path: Path) -> None:
    """Keep the rank of each prediction, to compare another run with. Raises HeadraceError."""
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, keys=_keys(run), ranks=run.scored.ranks.astype(np.int16))
    except OSError as error:
        raise HeadraceError(f"{path} cannot be written: {error}") from error


def compare_ranks(run: StreamRun, path: Path) -> dict[str, object]:
    """Compare with the ranks that `save_ranks` kept, where both runs predicted the same event.

    Raises HeadraceError when the file holds no ranks, or none of the same events.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys, ranks = archive["keys"], archive["ranks"]
        _, here, there = np.intersect1d(_keys(run), keys, return_indices=True)
        this, other = run.scored.ranks[here] > 0, ranks[there] > 0
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise HeadraceError(f"{path} holds no ranks: {error}; make one with --save FILE") from error
    if not len(here):
        raise HeadraceError(f"{path} has none of these predictions; it must be of the same log")
    found = mcnemar(this, other)
    figures: dict[str, Any] = found._asdict()
    figures["p_value"] = float(f"{found.p_value:.4g}")
    figures[f"hit_rate@{CUTOFF}"] = {"this": round(float(this.mean()), 4), "other": round(float(other.mean()), 4)}
    return figures


def _keys(run: StreamRun) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    """Numbers of the predicted events: their place in the log, with the session's hash."""
    at = run.scored.events
    place = at.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray(run.stream.events.sessions[at] ^ place, np.uint64)

"""Latencies of a measurement, as percentiles."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

PER_MILLE = (500, 900, 990, 999, 1000)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Percentiles in seconds; all 0 where nothing was measured."""

    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    p999: float = 0.0
    max: float = 0.0


def latencies(seconds: Sequence[float]) -> Latencies:
    """The percentiles of these latencies, each one that was measured (nearest rank, rounded up).

    >>> latencies([0.001, 0.002, 0.003, 0.004])
    Latencies(p50=0.002, p90=0.004, p99=0.004, p999=0.004, max=0.004)
    """
    if not seconds:
        return Latencies()
    ranked = sorted(seconds)
    return Latencies(*(ranked[-(-len(ranked) * each // 1000) - 1] for each in PER_MILLE))


def in_milliseconds(found: Latencies) -> dict[str, float]:
    """The percentiles in milliseconds, for JSON."""
    return {name: round(1e3 * seconds, 3) for name, seconds in asdict(found).items()}

"""A histogram for whole columns, and quantiles out of a histogram's buckets."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class BatchHistogram(Collector):
    """Counts a whole column of observations at once.

    To count them one at a time would cost as much as to decode the events.
    """

    def __init__(self, name: str, help: str, buckets: tuple[float, ...], registry: CollectorRegistry) -> None:
        self._name, self._help = name, help
        self._bounds = np.array(buckets)
        self._counts = np.zeros(len(buckets) + 1, np.int64)
        self._sum = 0.0
        registry.register(self)

    def observe(self, values: NDArray[np.float64]) -> None:
        """Count values of shape (n,); a value equal to a bound falls into its bucket."""
        slots = np.searchsorted(self._bounds, values, side="left")
        self._counts += np.bincount(slots, minlength=len(self._counts))
        self._sum += float(values.sum())

    @property
    def counts(self) -> NDArray[np.int64]:
        """Return the observations so far per bucket, shape (buckets + 1,)."""
        return self._counts.copy()

    def quantile(self, q: float, since: NDArray[np.int64] | None = None) -> float | None:
        """Return the q-quantile of the observations since `counts` was `since`; None if there are
        none.
        """
        counts = self._counts if since is None else self._counts - since
        return quantile(self._bounds, counts, q)

    def collect(self) -> Iterable[Metric]:
        """Yield the histogram in Prometheus' form."""
        cumulative = np.cumsum(self._counts).tolist()
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        yield HistogramMetricFamily(
            self._name, self._help, buckets=list(zip(bounds, cumulative, strict=True)), sum_value=self._sum
        )


def quantile(bounds: NDArray[np.float64], counts: NDArray[np.int64], q: float) -> float | None:
    """Return the q-quantile of observations per bucket; None if there are none.

    It is interpolated within its bucket. `bounds` has shape (b,), `counts` (b + 1,). A quantile
    above the highest bound is given as that bound.
    """
    wanted = q * int(counts.sum())
    if wanted == 0:
        return None
    cumulative = np.cumsum(counts)
    slot = int(np.searchsorted(cumulative, wanted))
    if slot >= len(bounds):
        return float(bounds[-1])
    low = float(bounds[slot - 1]) if slot else 0.0
    before = int(cumulative[slot - 1]) if slot else 0
    return low + (float(bounds[slot]) - low) * (wanted - before) / int(counts[slot])

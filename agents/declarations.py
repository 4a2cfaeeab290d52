"""How a metric is declared: its name, its meaning, and all values of its labels where they are
known.
"""

from itertools import product
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# A time of creation per series would double the counters, and no query here uses it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the client declares no types for it

# Label values that only a running process knows: no series until one is set.
OPEN = ()

M = TypeVar("M", Counter, Gauge, Histogram)


class Declarations:
    """Declares metrics on one registry. A keyword is a label, and its tuple all values of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def counter(self, name: str, meaning: str, **labels: tuple[str, ...]) -> Counter:
        """Declare a counter; Prometheus adds `_total` to its name."""
        return _present(Counter(name, meaning, tuple(labels), registry=self.registry), labels)

    def gauge(self, name: str, meaning: str, **labels: tuple[str, ...]) -> Gauge:
        """Declare a gauge."""
        return _present(Gauge(name, meaning, tuple(labels), registry=self.registry), labels)

    def histogram(self, name: str, meaning: str, buckets: tuple[float, ...], **labels: tuple[str, ...]) -> Histogram:
        """Declare a histogram with these upper bounds of its buckets."""
        made = Histogram(name, meaning, tuple(labels), buckets=buckets, registry=self.registry)
        return _present(made, labels)


def _present(metric: M, labels: dict[str, tuple[str, ...]]) -> M:
    if labels and all(labels.values()):
        for values in product(*labels.values()):
            metric.labels(*values)
    return metric

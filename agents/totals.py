"""Reads counters and gauges back, for the live figures."""

from prometheus_client import Counter, Gauge


def totals_by(counter: Counter, label: str, **labels: str) -> dict[str, int]:
    """Return the counter's values by those of `label`, without zeros; summed over the others."""
    return {name: int(value) for name, value in sums_by(counter, label, **labels).items()}


def sums_by(counter: Counter, label: str, **labels: str) -> dict[str, float]:
    """Return the same for a counter whose values are no whole numbers."""
    found: dict[str, float] = {}
    for metric in counter.collect():
        for sample in metric.samples:
            if sample.value and sample.name.endswith("_total") and labels.items() <= sample.labels.items():
                name = sample.labels[label]
                found[name] = found.get(name, 0.0) + sample.value
    return found


def values_by(gauge: Gauge, label: str = "") -> dict[str, float]:
    """Return the gauge's values by those of `label`; by an empty text if it has none."""
    return {sample.labels.get(label, ""): sample.value for metric in gauge.collect() for sample in metric.samples}

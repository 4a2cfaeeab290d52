"""Reads the worker's `/metrics` back, for `headrace run`, `headrace bench` and the tests."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families

from agents.batch_histogram import quantile
from agents.metrics import (
    CANCELLATIONS,
    EVENTS,
    FRESHNESS,
    FRESHNESS_BUCKETS,
    ITEMS,
    ITEMS_HIDDEN,
    ITEMS_KNOWN,
    LAG,
    RECOMMENDATIONS,
    REJECTED,
    STAGE,
    STAGES,
    UNKNOWN_ITEMS,
)
from models.contract.events import Kind

ITEM = "item"  # the kind by which rejected records of the catalogue are counted


@dataclass(frozen=True, slots=True)
class Reading:
    """The worker's counters at one moment, or the difference of two readings.

    `hidden` has the items that no list holds, by cause. `stage_seconds` is the time that all
    batches took in each stage. `freshness` counts lists by bucket of seconds.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    cancellations: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    items: int = 0
    item_reasons: Counter[str] = field(default_factory=Counter)
    recommendations: int = 0
    items_known: int = 0
    hidden: Counter[str] = field(default_factory=Counter)
    unknown_items: int = 0
    lag: int = 0
    partitions: int = 0
    stage_seconds: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    freshness: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(FRESHNESS_BUCKETS) + 1, np.int64))

    @property
    def events(self) -> int:
        """Return the number of events that were processed, with any outcome."""
        return self.outcomes.total()

    def since(self, earlier: "Reading") -> "Reading":
        """Return the difference to an earlier reading."""
        return Reading(
            outcomes=self.outcomes - earlier.outcomes,
            cancellations=self.cancellations - earlier.cancellations,
            reasons=self.reasons - earlier.reasons,
            items=self.items - earlier.items,
            item_reasons=self.item_reasons - earlier.item_reasons,
            recommendations=self.recommendations - earlier.recommendations,
            items_known=self.items_known,
            hidden=self.hidden,
            unknown_items=self.unknown_items - earlier.unknown_items,
            lag=self.lag,
            partitions=self.partitions,
            stage_seconds={name: self.stage_seconds[name] - earlier.stage_seconds[name] for name in STAGES},
            freshness=self.freshness - earlier.freshness,
        )

    def freshness_quantile(self, q: float) -> float | None:
        """Return the seconds from the broker's append to the readable list; None without lists."""
        return quantile(np.array(FRESHNESS_BUCKETS), self.freshness, q)


def parse_metrics(text: str) -> Reading:
    """Return the counters from Prometheus' text format. A missing counter is 0.

    What is 0 is not listed.
    """
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def by(name: str, label: str, **labels: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for sample in samples:
            if sample.name == name and labels.items() <= sample.labels.items() and sample.value:
                found[sample.labels.get(label, "")] += int(sample.value)
        return found

    seconds = {sample.labels["stage"]: sample.value for sample in samples if sample.name == f"{STAGE}_sum"}
    cumulative = [int(sample.value) for sample in samples if sample.name == f"{FRESHNESS}_bucket"]
    return Reading(
        outcomes=by(f"{EVENTS}_total", "outcome"),
        cancellations=by(f"{CANCELLATIONS}_total", "outcome"),
        reasons=sum((by(f"{REJECTED}_total", "reason", kind=kind.label) for kind in Kind), Counter()),
        items=by(f"{ITEMS}_total", "outcome").total(),
        item_reasons=by(f"{REJECTED}_total", "reason", kind=ITEM),
        recommendations=by(f"{RECOMMENDATIONS}_total", "").total(),
        items_known=by(ITEMS_KNOWN, "").total(),
        hidden=by(ITEMS_HIDDEN, "cause"),
        unknown_items=by(f"{UNKNOWN_ITEMS}_total", "").total(),
        lag=by(LAG, "").total(),
        partitions=sum(sample.name == LAG for sample in samples),
        stage_seconds={stage: seconds.get(stage, 0.0) for stage in STAGES},
        freshness=np.diff(cumulative, prepend=0).astype(np.int64),
    )

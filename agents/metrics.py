"""Declare every Prometheus metric of the worker once; the registry is an argument."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# `headrace run` and `headrace bench` read these names back; Prometheus adds `_total` to counters.
EVENTS = "headrace_events"
REJECTED = "headrace_rejected"
FOREIGN_KEY = "headrace_foreign_key"
ITEMS = "headrace_items"
ITEMS_KNOWN = "headrace_items_known"
UNKNOWN_ITEMS = "headrace_events_unknown_item"
RECOMMENDATIONS = "headrace_recommendations"
STAGE = "headrace_stage_seconds"
FRESHNESS = "headrace_freshness_seconds"
LAG = "headrace_lag_offsets"
# The stages of a batch of events, in their order.
STAGES = ("admit", "load", "decide", "write", "emit")

FRESHNESS_BUCKETS = (
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2,
    0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0,
)  # fmt: skip
STAGE_BUCKETS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCH_BUCKETS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)


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


class InferenceMetrics:
    """Holds the metrics of the models; the label `model` is their task, such as `embedding`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queue = Histogram(
            "headrace_inference_queue_seconds",
            "How long a request waited for its batch",
            ["model"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.tokenise = Histogram(
            "headrace_inference_tokenise_seconds",
            "Time to cut a batch's new texts into tokens",
            ["model"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.infer = Histogram(
            "headrace_inference_seconds",
            "Time of a batch's new texts in the model",
            ["model"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.texts = Counter(
            "headrace_inference_texts", "Texts by whether the model was needed", ["model", "outcome"], registry=registry
        )
        self.provider = Gauge(
            "headrace_model_info",
            "1 for each model in use, with the execution provider in force",
            ["model", "key", "provider"],
            registry=registry,
        )


class SecondJudgeMetrics:
    """Holds the metrics of the second judge."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queue = Gauge(
            "headrace_second_stage_queue_items", "Items that wait for the second judge", registry=registry
        )
        self.judged = Counter(
            "headrace_second_stage_judged",
            "Verdicts of the second judge by what they changed",
            ["verdict"],
            registry=registry,
        )
        self.seconds = Histogram(
            "headrace_second_stage_seconds",
            "Time to judge one item, waiting for the processor included",
            buckets=STAGE_BUCKETS,
            registry=registry,
        )


class Metrics:
    """Holds all metrics of the worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.events = Counter(EVENTS, "Events by what became of them", ["kind", "outcome"], registry=registry)
        self.rejected = Counter(REJECTED, "Records sent to quarantine", ["kind", "reason"], registry=registry)
        self.foreign_key = Counter(
            FOREIGN_KEY,
            "Events whose key is not their user id, or that lie in another partition than their user's",
            ["kind", "outcome"],
            registry=registry,
        )
        self.offset_resets = Counter(
            "headrace_offset_resets",
            "Partitions whose reading went on at another offset, by what changed",
            ["topic", "reason"],
            registry=registry,
        )
        self.skipped = Counter(
            "headrace_skipped_offsets", "Offsets that Kafka removed before they were read", ["topic"], registry=registry
        )
        self.coerced = Counter(
            "headrace_coerced",
            "Fields in another form than the contract's that were understood",
            ["field"],
            registry=registry,
        )
        self.unknown_fields = Counter("headrace_unknown_fields", "Fields that were ignored", registry=registry)
        self.unknown_items = Counter(
            UNKNOWN_ITEMS, "Accepted events on items that the catalogue lacks", registry=registry
        )
        self.items = Counter(ITEMS, "Catalogue records by what became of them", ["outcome"], registry=registry)
        self.recommendations = Counter(RECOMMENDATIONS, "Lists written", registry=registry)
        self.items_known = Gauge(ITEMS_KNOWN, "Items of the catalogue and of events", registry=registry)
        self.users = Gauge("headrace_users_cached", "User profiles held in memory", registry=registry)
        self.batch_size = Histogram(
            "headrace_batch_events", "Events in a batch", ["agent"], buckets=BATCH_BUCKETS, registry=registry
        )
        self.stage = Histogram(
            STAGE,
            "Time of one batch in a stage",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.freshness = BatchHistogram(
            FRESHNESS,
            "From the broker's append of an event to its user's list being readable in Redis",
            FRESHNESS_BUCKETS,
            registry,
        )
        self.lag = Gauge(
            LAG,
            "Events behind the end of a partition; none while that is not known",
            ["topic", "partition"],
            registry=registry,
        )
        self.learned = Counter("headrace_learned", "Interactions learned from the log", ["outcome"], registry=registry)
        self.trending_half_life = Gauge(
            "headrace_trending_half_life_seconds", "After how long an interaction counts half", registry=registry
        )
        self.index_bytes = Gauge("headrace_index_bytes", "Memory of the neighbour index", registry=registry)
        self.snapshot_ts = Gauge(
            "headrace_snapshot_timestamp_seconds", "When the last snapshot was saved; 0 if none was", registry=registry
        )
        self.snapshot_seconds = Gauge(
            "headrace_snapshot_seconds", "How long saving the last snapshot took", registry=registry
        )
        self.snapshot_bytes = Gauge("headrace_snapshot_bytes", "Size of the last snapshot", registry=registry)
        self.snapshot_failures = Counter(
            "headrace_snapshot_failures", "Snapshots that could not be saved", registry=registry
        )
        self.assessed = Counter(
            "headrace_assessed_items",
            "Items by what the models said of them",
            ["outcome"],
            registry=registry,
        )
        self.defects = Counter("headrace_text_defects", "Defects found in texts", ["defect"], registry=registry)
        self.inference = InferenceMetrics(registry)
        self.second_judge = SecondJudgeMetrics(registry)
        self.forgotten_users = Counter(
            "headrace_forgotten_users", "Requests to forget a user that were carried out", registry=registry
        )
        self.rebuilt_profiles = Counter(
            "headrace_rebuilt_profiles", "Profiles that Redis lost and that were made again", registry=registry
        )
        self.retries = Counter("headrace_retries", "Calls tried again", ["dependency"], registry=registry)
        self.refused_writes = Counter(
            "headrace_refused_writes",
            "Writes that the store refused because another write came first; they were made again",
            ["what"],
            registry=registry,
        )
        self.ready = Gauge("headrace_ready", "1 when the worker writes fresh lists", registry=registry)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Observe the seconds that the block takes; time spent waiting counts too."""
        start = perf_counter()
        try:
            yield
        finally:
            self.stage.labels(stage).observe(perf_counter() - start)


def total(counter: Counter, **labels: str) -> int:
    """Return the counter's value, summed over all label values that are not given."""
    return int(
        sum(
            sample.value
            for metric in counter.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and labels.items() <= sample.labels.items()
        )
    )

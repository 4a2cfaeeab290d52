"""Declare every metric of Headrace once, with those of lists beside; the registry is an argument.

`docs/metrics.md` is made from these declarations, and dashboards and alerts are checked against
them. A series whose label values are known here is there from the start, with 0: an alert on an
increase then sees the first one too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter

from agents.batch_histogram import BatchHistogram
from agents.declarations import OPEN, Declarations
from agents.list_metrics import KINDS, ListQualityMetrics, RankerMetrics
from agents.stage_span import StageSpan, no_span
from models.contract.cancelled import COUNTED
from models.contract.coercion import EVENT_FORMS, ITEM_FORMS
from models.contract.mend import EVENT_RULES
from models.contract.outcome import DOUBTS, Reason
from models.evaluation.stored_lists import ListScores
from models.plausibility.settings import OUTCOMES
from models.quality.defect import DEFECTS
from models.quality.repair import RULE_NAMES
from models.ranking.lists import NO_ITEM, SOURCES

# `headrace run` and `headrace bench` read these names back; Prometheus adds `_total` to counters.
EVENTS = "headrace_events"
CANCELLATIONS = "headrace_cancellations"
REJECTED = "headrace_rejected"
FOREIGN_KEY = "headrace_foreign_key"
ITEMS = "headrace_items"
ITEMS_KNOWN = "headrace_items_known"
ITEMS_HIDDEN = "headrace_items_hidden"
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
HTTP_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# Records of the catalogue, and records of `moved` that do not say where they are from.
REJECTED_KINDS = (*KINDS, "item", "unknown")
REASONS = tuple(Reason)
MODELS = ("embedding", "quality")
VERDICTS = ("now_shown", "now_hidden", "still_shown", "still_hidden", "outdated")
HIDDEN_CAUSES = ("unavailable", "low_quality", "unknown")


class InferenceMetrics:
    """Holds the metrics of the models; the label `model` is their task, such as `embedding`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.queue = declare.histogram(
            "headrace_inference_queue_seconds", "How long a request waited for its batch", STAGE_BUCKETS, model=MODELS
        )
        self.tokenise = declare.histogram(
            "headrace_inference_tokenise_seconds",
            "Time to cut a batch's new texts into tokens",
            STAGE_BUCKETS,
            model=MODELS,
        )
        self.infer = declare.histogram(
            "headrace_inference_seconds", "Time of a batch's new texts in the model", STAGE_BUCKETS, model=MODELS
        )
        self.texts = declare.counter(
            "headrace_inference_texts",
            "Texts by whether the model was needed",
            model=MODELS,
            outcome=("cached", "computed"),
        )
        self.provider = declare.gauge(
            "headrace_model_info",
            "1 for each model in use, with the execution provider in force",
            model=OPEN,
            key=OPEN,
            provider=OPEN,
        )


class SecondJudgeMetrics:
    """Holds the metrics of the second judge."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.queue = declare.gauge("headrace_second_stage_queue_items", "Items that wait for the second judge")
        self.judged = declare.counter(
            "headrace_second_stage_judged", "Verdicts of the second judge by what they changed", verdict=VERDICTS
        )
        self.seconds = declare.histogram(
            "headrace_second_stage_seconds", "Time to judge one item, waiting for the processor included", STAGE_BUCKETS
        )


class CatalogueMetrics:
    """Holds the metrics of the catalogue and of its texts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.items = declare.counter(
            ITEMS,
            "Catalogue records by what became of them",
            outcome=("upserted", "withdrawn", "restocked", "deleted", "outdated", "quarantined"),
        )
        self.items_known = declare.gauge(ITEMS_KNOWN, "Items of the catalogue and of events")
        self.items_hidden = declare.gauge(
            ITEMS_HIDDEN, "Items that no list may hold, by why; deleted ones do not count", cause=HIDDEN_CAUSES
        )
        self.coerced = declare.counter(
            "headrace_coerced",
            "Fields in another form than the contract's that were understood",
            field=tuple(sorted({*EVENT_FORMS, *ITEM_FORMS, "available", "envelope", "key"})),
        )
        self.assessed = declare.counter(
            "headrace_assessed_items",
            "Items by what the models said of them",
            outcome=("unchanged", "good", "low_quality", "untitled"),
        )
        self.repairs = declare.counter(
            "headrace_repairs", "Repairs of item texts and events", rule=(*RULE_NAMES, *EVENT_RULES)
        )
        self.defects = declare.counter("headrace_text_defects", "Defects found in texts", defect=tuple(DEFECTS))


class StateMetrics:
    """Holds the metrics of what a worker keeps: the index, its snapshots, profiles, readiness."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.users = declare.gauge("headrace_users_cached", "User profiles held in memory")
        self.index_bytes = declare.gauge("headrace_index_bytes", "Memory of the neighbour index")
        self.trending_half_life = declare.gauge(
            "headrace_trending_half_life_seconds", "After how long an interaction counts half"
        )
        self.snapshot_ts = declare.gauge(
            "headrace_snapshot_timestamp_seconds", "When the last snapshot was saved; 0 if none was"
        )
        self.snapshot_seconds = declare.gauge("headrace_snapshot_seconds", "How long saving the last snapshot took")
        self.snapshot_bytes = declare.gauge("headrace_snapshot_bytes", "Size of the last snapshot")
        self.snapshot_failures = declare.counter("headrace_snapshot_failures", "Snapshots that could not be saved")
        self.forgotten_users = declare.counter(
            "headrace_forgotten_users", "Requests to forget a user that were carried out"
        )
        self.rebuilt_profiles = declare.counter(
            "headrace_rebuilt_profiles", "Profiles that Redis lost and that were made again"
        )
        self.retries = declare.counter("headrace_retries", "Calls tried again", dependency=("Kafka", "Redis"))
        self.refused_writes = declare.counter(
            "headrace_refused_writes",
            "Writes that the store refused because another write came first; made again, or left to the owner",
            what=("profile", "list", "item", "assessment", "batch"),
        )
        self.ready = declare.gauge("headrace_ready", "1 when the worker writes fresh lists")


class Metrics(CatalogueMetrics, StateMetrics):
    """Holds all metrics of the worker. `span` is called for each stage, and spans its time."""

    def __init__(self, registry: CollectorRegistry, span: StageSpan = no_span) -> None:
        self.registry = registry
        self.span = span
        declare = Declarations(registry)
        outcomes = ("accepted", "duplicate", "quarantined")
        self.events = declare.counter(EVENTS, "Events by what became of them", kind=KINDS, outcome=outcomes)
        self.rejected = declare.counter(REJECTED, "Records sent to quarantine", kind=REJECTED_KINDS, reason=REASONS)
        self.doubtful = declare.counter(
            "headrace_doubtful",
            "Well-formed events that can hardly be true, by what became of them",
            kind=KINDS,
            reason=tuple(DOUBTS),
            outcome=OUTCOMES,
        )
        self.cancellations = declare.counter(
            CANCELLATIONS,
            "Accepted cancellations that undid an order or met none, and orders that came after theirs",
            outcome=tuple(COUNTED),
        )
        self.foreign_key = declare.counter(
            FOREIGN_KEY,
            "Events whose key is not their user id, or that lie in another partition than their user's",
            kind=KINDS,
            outcome=("in_place", "moved", "refused"),
        )
        self.offset_resets = declare.counter(
            "headrace_offset_resets",
            "Partitions whose reading went on at another offset, by what changed",
            topic=OPEN,
            reason=OPEN,
        )
        self.skipped = declare.counter(
            "headrace_skipped_offsets", "Offsets that Kafka removed before they were read", topic=OPEN
        )
        self.unknown_fields = declare.counter("headrace_unknown_fields", "Fields that were ignored")
        self.unknown_items = declare.counter(UNKNOWN_ITEMS, "Accepted events on items that the catalogue lacks")
        self.recommendations = declare.counter(RECOMMENDATIONS, "Lists written")
        self.listed = declare.counter(
            "headrace_listed_items", "Items of the lists that events led to, by what found them", source=SOURCES
        )
        self.quality = ListQualityMetrics(registry)
        self.ranker = RankerMetrics(registry)
        self.batch_size = declare.histogram(
            "headrace_batch_events", "Events in a batch", BATCH_BUCKETS, agent=("process", "catalogue")
        )
        self.stage = declare.histogram(STAGE, "Time of one batch in a stage", STAGE_BUCKETS, stage=STAGES)
        self.freshness = BatchHistogram(
            FRESHNESS,
            "From the broker's append of an event to its user's list being readable in Redis",
            FRESHNESS_BUCKETS,
            registry,
        )
        self.lag = declare.gauge(
            LAG, "Events behind the end of a partition; none while that is not known", topic=OPEN, partition=OPEN
        )
        self.learned = declare.counter(
            "headrace_learned",
            "Interactions learned from the log",
            outcome=("learned", "repeated", "unreadable", "doubtful"),
        )
        CatalogueMetrics.__init__(self, registry)
        StateMetrics.__init__(self, registry)
        self.inference = InferenceMetrics(registry)
        self.second_judge = SecondJudgeMetrics(registry)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Observe the seconds that the block takes; time spent waiting counts too."""
        start = perf_counter()
        try:
            with self.span(stage):
                yield
        finally:
            self.stage.labels(stage).observe(perf_counter() - start)

    def count_lists(self, items: NDArray[np.int32], sources: NDArray[np.uint8]) -> None:
        """Count lists and what found their items; both have the shape (lists, size)."""
        self.recommendations.inc(len(items))
        counts = np.bincount(sources[items != NO_ITEM], minlength=len(SOURCES))
        for source, count in zip(SOURCES, counts.tolist(), strict=True):
            self.listed.labels(source).inc(count)

    def count_scores(self, kind: str, scores: ListScores) -> None:
        """Count events of one kind that were looked for in the lists of their users."""
        self.quality.scored.labels(kind).inc(scores.scored)
        self.quality.reciprocals.labels(kind).inc(scores.reciprocals)
        for source, count in zip(SOURCES, scores.hits.tolist(), strict=True):
            self.quality.hits.labels(kind, source).inc(count)


class HttpMetrics:
    """Holds the metrics of `headrace serve`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.seconds = declare.histogram(
            "headrace_http_request_seconds",
            "Time to answer a look-up or another HTTP request",
            HTTP_BUCKETS,
            route=OPEN,
            status=OPEN,
        )
        self.lists = declare.counter(
            "headrace_lookups", "Look-ups of a user's list, by the list that was answered", answer=("own", "trending")
        )


def tell_build(registry: CollectorRegistry, version: str, part: str) -> None:
    """Declare and set the build's version; `part` is `worker` or `serve`."""
    declare = Declarations(registry)
    about = declare.gauge("headrace_build_info", "1, with the version of Headrace", version=OPEN, part=OPEN)
    about.labels(version, part).set(1)


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

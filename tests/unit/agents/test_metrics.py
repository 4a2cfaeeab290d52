"""All metrics are declared in one place, and their known series are there from the start."""

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest

from agents.list_metrics import KINDS
from agents.metrics import REASONS, HttpMetrics, Metrics, tell_build
from models.ranking.lists import NO_ITEM, SOURCES


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_reason_that_never_came_is_counted_as_0() -> None:
    metrics = Metrics(CollectorRegistry())
    counts = {value(metrics, "headrace_rejected_total", kind=kind, reason=each) for kind in KINDS for each in REASONS}
    assert counts == {0.0}


def test_what_only_a_running_worker_knows_has_no_series_yet() -> None:
    text = generate_latest(Metrics(CollectorRegistry()).registry).decode()
    assert "headrace_lag_offsets{" not in text
    assert "headrace_model_info{" not in text


def test_no_series_says_when_another_one_was_made() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    HttpMetrics(registry).seconds.labels("/live", "200").observe(0.1)
    assert "_created" not in generate_latest(registry).decode()


def test_lists_are_counted_with_what_found_their_items() -> None:
    metrics = Metrics(CollectorRegistry())
    items = np.array([[4, 7, NO_ITEM], [4, NO_ITEM, NO_ITEM]], np.int32)
    trending = SOURCES.index("trending")
    metrics.count_lists(items, np.array([[0, trending, 0], [trending, 0, 0]], np.uint8))
    found = {each: value(metrics, "headrace_listed_items_total", source=each) for each in SOURCES}
    assert found == dict.fromkeys(SOURCES, 0) | {"neighbours": 1, "trending": 2}
    assert value(metrics, "headrace_recommendations_total") == 2


def test_the_build_is_told_by_version_and_part() -> None:
    registry = CollectorRegistry()
    tell_build(registry, "1.2.3", "serve")
    assert registry.get_sample_value("headrace_build_info", {"version": "1.2.3", "part": "serve"}) == 1

"""The worker's metrics are read back by the names under which they are declared."""

from collections import Counter

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents.metrics import STAGES, Metrics
from app.local.scrape import Reading, parse_metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def read(metrics: Metrics) -> Reading:
    return parse_metrics(generate_latest(metrics.registry).decode())


def test_events_are_counted_by_outcome_over_all_kinds(metrics: Metrics) -> None:
    metrics.events.labels("view", "accepted").inc(3)
    metrics.events.labels("order", "accepted").inc(2)
    metrics.events.labels("order", "quarantined").inc()
    found = read(metrics)
    assert (found.outcomes, found.events) == ({"accepted": 5, "quarantined": 1}, 6)


def test_reasons_of_items_are_kept_apart_from_those_of_events(metrics: Metrics) -> None:
    metrics.rejected.labels("view", "no_user").inc(2)
    metrics.rejected.labels("click", "no_user").inc()
    metrics.rejected.labels("item", "no_title").inc(4)
    found = read(metrics)
    assert (found.reasons, found.item_reasons) == ({"no_user": 3}, {"no_title": 4})


def test_items_lists_and_lag_are_added_up(metrics: Metrics) -> None:
    metrics.items.labels("stored").inc(7)
    metrics.items.labels("quarantined").inc()
    metrics.recommendations.inc(4)
    metrics.items_known.set(9)
    metrics.lag.labels("views", "0").set(5)
    metrics.lag.labels("views", "1").set(6)
    found = read(metrics)
    assert (found.items, found.recommendations, found.items_known, found.lag, found.partitions) == (8, 4, 9, 11, 2)


def test_the_seconds_of_every_stage_are_there(metrics: Metrics) -> None:
    metrics.stage.labels("decide").observe(0.5)
    metrics.stage.labels("decide").observe(0.25)
    assert read(metrics).stage_seconds == {"admit": 0, "load": 0, "decide": 0.75, "write": 0, "emit": 0}


def test_freshness_is_as_the_worker_observed_it(metrics: Metrics) -> None:
    metrics.freshness.observe(np.array([0.004, 0.004, 0.4]))
    assert read(metrics).freshness_quantile(0.5) == metrics.freshness.quantile(0.5)


def test_a_worker_that_has_done_nothing_counts_nothing(metrics: Metrics) -> None:
    found = read(metrics)
    assert (found.events, found.items, found.freshness_quantile(0.5)) == (0, 0, None)
    assert found.stage_seconds == dict.fromkeys(STAGES, 0)


def test_two_readings_tell_what_happened_between_them(metrics: Metrics) -> None:
    metrics.events.labels("view", "accepted").inc(3)
    metrics.stage.labels("emit").observe(0.5)
    metrics.freshness.observe(np.array([0.4]))
    earlier = read(metrics)
    metrics.events.labels("view", "accepted").inc()
    metrics.stage.labels("emit").observe(0.25)
    metrics.freshness.observe(np.array([0.004]))
    passed = read(metrics).since(earlier)
    assert passed.outcomes == Counter(accepted=1)
    assert passed.stage_seconds["emit"] == 0.25
    assert passed.freshness.sum() == 1

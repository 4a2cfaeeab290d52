"""What a measurement makes of observations: spans, counters, medians, and the table for people."""

from collections import Counter

import orjson

from agents.metrics import STAGES
from app.bench.pipeline import Round, summarise
from app.bench.span import Sample, Span, Spread, span, spread, start_of
from app.bench.worker_run import WorkerRun
from app.commands.bench import table
from app.local.scrape import Reading


def test_the_clock_starts_with_the_first_event_done_and_ends_with_the_last() -> None:
    seen = [
        Sample(0, 0, 0),
        Sample(5, 0, 3),  # start-up until here
        Sample(6, 100, 4),
        Sample(7, 300, 4.5),
        Sample(8, 500, 5),  # idle from here on
        Sample(9, 500, 6),
    ]
    assert span(seen) == Span(events=400, seconds=2, cpu_seconds=1)
    assert start_of(seen) == 2


def test_a_log_that_is_done_at_the_first_look_is_counted_from_the_look_before() -> None:
    assert span([Sample(0, 0, 0), Sample(1, 0, 1), Sample(2, 50, 2)]) == Span(events=50, seconds=1, cpu_seconds=1)


def test_a_single_look_gives_no_rate() -> None:
    found = span([Sample(3, 50, 1)])
    assert (found.events_per_second, found.cpu_microseconds_per_event) == (0, 0)


def test_a_spread_names_the_median_and_the_extremes() -> None:
    assert spread([3.0, 1.0, 10.0]) == Spread(median=3.0, low=1.0, high=10.0)


def measured(worker_seconds: float, faust_seconds: float) -> Round:
    stages = dict.fromkeys(STAGES, worker_seconds / 10)
    worker = WorkerRun(
        Span(1000, worker_seconds, 0.05),
        Reading(Counter(accepted=990, duplicate=10), recommendations=70, stage_seconds=stages),
        stages,
    )
    return Round(Span(1000, 0.1, 0.002), Span(1000, faust_seconds, 0.1), worker)


def test_rates_are_medians_and_ratios_are_taken_within_a_round() -> None:
    # A busy minute slows down both. The ratio stays 2, although no two rates of one contender
    # agree.
    found = summarise("shop", [measured(1, 2), measured(4, 8), measured(2, 4)])
    assert found["events_per_second"] == 500
    assert found["plain_faust_events_per_second"] == 250
    assert found["ratio_to_plain_faust"] == 2
    assert orjson.loads(orjson.dumps(found))["spread"]["events_per_second"] == {"min": 250, "max": 1000}
    assert found["cpu_microseconds_per_event"] == {"worker": 50, "plain_faust": 100, "ceiling": 2}
    assert (found["events"], found["rounds"], found["recommendations"]) == (1000, 3, 70)
    assert found["stage_seconds"] == dict.fromkeys(STAGES, 0.2)


def test_the_table_says_how_the_worker_stands() -> None:
    text = table(summarise("shop", [measured(1, 2), measured(2, 4)]))
    assert "shop: 1,000 events, medians of 2 rounds" in text
    assert "plain Faust          375 events/s    100.0 µs of processor time an event   (250 to 500)" in text
    assert "2.00 times what plain Faust does" in text

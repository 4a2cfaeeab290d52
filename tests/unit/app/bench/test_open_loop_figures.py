"""Events at a fixed pace, the delays that come of them, and how both measurements are told."""

from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest

from app.bench.feed import Feed, feed_log, timed_events
from app.bench.freshness import delays
from app.bench.latency import Latencies
from app.bench.load import LoadResult
from app.bench.lookup import LookupRun, ratios
from app.bench.place import machine
from app.bench.span import Sample
from app.bench.sustained import sustained_rate
from app.commands.bench_loads import freshness_table, lookup_table
from app.datasets.record import Record
from app.errors import HeadraceError

LOAD = LoadResult(
    requests=100,
    answered=100,
    failed=0,
    lost=0,
    seconds=2.0,
    cpu_seconds=0.002,
    latency=Latencies(0.001, 0.002, 0.003, 0.004, 0.005),
    late=Latencies(),
)


def log() -> Iterator[Record]:
    yield Record("views", b"u", b'{"event_id":"1","ts":5}', 5.0)
    yield Record("orders", b"u", b'{"event_id":"2","ts":"2020-01-01T00:00:00Z"}', 6.0)
    yield Record("views", b"u", b"{broken", None)


def test_events_happen_when_they_are_due() -> None:
    first, second, broken = timed_events(log(), rate=4, started=100.0)
    assert (orjson.loads(first.value or b""), first.ts) == ({"event_id": "1", "ts": 100.0}, 100.0)
    assert (orjson.loads(second.value or b"")["ts"], second.ts) == (100.25, 100.25)
    assert (broken.value, broken.ts) == (b"{broken", 100.5)


def test_a_delay_runs_from_when_the_event_was_due_to_the_end_of_kafkas_millisecond() -> None:
    handed_on = [(100_012, b'{"ts":100.0}'), (100_300, b'{"ts":100.25}'), (100_001, b'{"ts":99.9}')]
    assert delays(handed_on, started=100.0) == pytest.approx([0.013, 0.051])


def test_http_is_compared_with_the_plain_get_of_the_same_rate_beside_the_same_worker() -> None:
    slower = replace(LOAD, latency=Latencies(0.01, 0.02, 0.06, 0.1, 0.1))
    runs = [
        LookupRun("redis", 1000, "idle", LOAD, 0.0, 0.0),
        LookupRun("redis", 1000, "half load", replace(LOAD, latency=Latencies(0.1, 0.2, 0.3, 0.4, 0.5)), 0.0, 0.0),
        LookupRun("http", 1000, "idle", slower, 0.0, 0.0),
    ]
    assert ratios(runs) == [{"rate": 1000, "worker": "idle", "p50": 10.0, "p90": 10.0, "p99": 20.0}]


def test_look_ups_are_told_with_their_rates_percentiles_and_failures() -> None:
    runs = [
        LookupRun("redis", 1000, "half load", LOAD, 0.0, 500.0),
        LookupRun("http", 1000, "half load", replace(LOAD, failed=2, lost=1), 0.02, 500.0),
    ]
    result = {
        "log": "shop", "users": 1234, "seconds": 10.0, "connections": 32, "sustained_events_per_second": 1000.0,
        "runs": [run.as_json() for run in runs], "http_to_get": ratios(runs), **machine(),
    }  # fmt: skip
    table = lookup_table(result)
    assert "shop: lists of 1,234 users, 10 s each" in table
    [line] = [line for line in table.splitlines() if line.startswith("half load  http")]
    assert line.split()[3:] == ["1,000", "50", "1.00", "2.00", "3.00", "4.00", "5.00", "2", "failed,", "1", "lost"]
    assert "takes 200 µs of processor time an answer" in table
    assert "took 500 events/s; it sustains 1,000 of a stream" in table


def test_freshness_is_told_beside_what_the_broker_took_of_it() -> None:
    times = {"p50": 1.0, "p90": 2.0, "p99": 3.0, "p999": 4.0, "max": 5.0}
    run = {
        "share": 0.5, "events_per_second": 500.0, "events": 100, "accepted": 99, "lists": 40,
        "milliseconds": times, "acknowledged_milliseconds": {**times, "p50": 0.25},
    }  # fmt: skip
    rates = {"worker_maximum_events_per_second": 1500.0, "sustained_events_per_second": 1000.0}
    result = {"log": "shop", "seconds": 20.0, **rates, "runs": [run], **machine()}
    lines = freshness_table(result).splitlines()
    assert "  50%       500       99       40      1.00" in "\n".join(lines)
    [broker] = [line for line in lines if "until the broker had it" in line]
    assert broker.split()[-5:] == ["0.25", "2.00", "3.00", "4.00", "5.00"]


def test_the_sustained_rate_is_that_of_the_second_half_of_the_time_in_which_events_are_done() -> None:
    before, filling = [Sample(at, 70, 0) for at in range(10)], [Sample(10, 570, 0), Sample(12, 1570, 0)]
    steady = [Sample(12 + at, 1570 + 100 * at, 0) for at in range(1, 11)]
    assert sustained_rate(before + filling + steady) == 100


@pytest.mark.parametrize("looks", [[], [Sample(1, 50, 0)]])
def test_no_rate_is_told_of_a_stream_that_ended_at_once(looks: list[Sample]) -> None:
    with pytest.raises(HeadraceError, match="longer --seconds"):
        sustained_rate([Sample(0, 0, 0), *looks])


def test_a_feed_goes_on_where_the_last_one_ended() -> None:
    first, then = ([record.value for record in feed_log(log, Feed(1, 2, skip))] for skip in (0, 2))
    everything = [record.value for record in feed_log(log, Feed(1, 4))]
    assert first + then == everything

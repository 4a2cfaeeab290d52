"""`headrace bench` as a user meets it: every contender reads everything.

Speed is not checked here.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

HEADRACE = Path(sys.executable).parent / "headrace"
TIMEOUT_SECONDS = 150
LOADS_TIMEOUT_SECONDS = 280  # they start a worker three times
ROWS = 600


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    return kept | {"HEADRACE_KAFKA_PARTITIONS": "2"} | settings


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A log with users, guests, every kind and several faults, and a catalogue with gaps."""
    rows = []
    for number in range(ROWS - 3):
        user = {"user_id": f"u{number % 37}"} if number % 4 else {"session_id": f"s{number % 11}"}
        kind = ("view", "view", "click", "order")[number % 4]
        event = {"event_id": str(number), "ts": 1590884413 + number, "item_id": f"i{number % 29}", "kind": kind}
        rows.append(orjson.dumps(event | user))
    rows += [rows[1], b'{"event_id":"old","ts":5,"user_id":"u1","item_id":"i1","kind":"view"}', b"{broken"]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(rows))
    items = [f"i{number},Item {number},{'pens' if number % 2 else 'ink'}" for number in range(29)]
    items += [",Nobody knows which,pens", "i30,,pens"]
    (tmp_path / "items.csv").write_text("\n".join(["item_id,title,category", *items]))
    return tmp_path


def test_each_contender_reads_every_event_and_the_result_is_one_json_object(shop: Path) -> None:
    done = subprocess.run(
        [HEADRACE, "bench", "pipeline", "--data", shop, "--events", "3000", "--json"],
        env=environment(HEADRACE_KAFKA_FETCH_MAX_RECORDS="200"),
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = orjson.loads(done.stdout)
    assert (printed["events"], printed["rounds"]) == (3000, 1)
    # The log is read five times, so its faults come five times. What is no JSON has no kind, and so
    # no topic to be sent to.
    assert printed["outcomes"] == {"accepted": 2990, "duplicate": 5, "quarantined": 5}
    assert printed["recommendations"] > 0
    assert set(printed["stage_seconds"]) == {"admit", "load", "decide", "write", "emit"}
    rates = ("events_per_second", "plain_faust_events_per_second", "ceiling_events_per_second")
    assert all(printed[name] > 0 for name in (*rates, "ratio_to_plain_faust", "ratio_to_ceiling"))
    assert printed["cores"] >= 1
    assert set(printed["cpu_microseconds_per_event"]) == {"worker", "plain_faust", "ceiling"}
    assert "now plain Faust" in done.stderr
    assert "only 3,000 events: such a log is read in a moment" in done.stderr


@pytest.mark.timeout(300)
def test_look_ups_are_measured_beside_an_idle_worker_and_one_at_work(shop: Path) -> None:
    arguments = ["--rates", "40", "--seconds", "1", "--connections", "4", "--events", "3000", "--json"]
    printed = measured("lookup", shop, arguments)
    assert [(run["worker"], run["target"]) for run in printed["runs"]] == [
        ("idle", "redis"),
        ("idle", "http"),
        ("half load", "redis"),
        ("half load", "http"),
    ]
    for run in printed["runs"]:
        assert (run["failed"], run["lost"]) == (0, 0)
        assert 0 < run["milliseconds"]["p50"] <= run["milliseconds"]["p999"]
        assert (run["worker_events_per_second"] > 0) == (run["worker"] == "half load")
    assert printed["sustained_events_per_second"] > 0
    assert printed["users"] > 37
    assert len(printed["http_to_get"]) == 2
    assert printed["processor"]


@pytest.mark.timeout(300)
def test_freshness_is_measured_at_each_share_of_the_sustained_rate(shop: Path) -> None:
    printed = measured("freshness", shop, ["--shares", "5,10", "--seconds", "1", "--events", "3000", "--json"])
    assert [run["share"] for run in printed["runs"]] == [0.05, 0.1]
    rates = [share * printed["sustained_events_per_second"] for share in (0.05, 0.1)]
    assert [run["events_per_second"] for run in printed["runs"]] == pytest.approx(rates, abs=0.1)
    for run in printed["runs"]:
        # One event of 200 is too old, repeated or no JSON in the log; here every event happens now.
        assert 0.9 * run["events"] < run["accepted"] <= run["events"]
        assert 0 < run["milliseconds"]["p50"] <= run["milliseconds"]["p999"] < 60_000
        assert run["lists"] > 0


def measured(what: str, shop: Path, arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [HEADRACE, "bench", what, "--data", shop, *arguments],
        env=environment(),
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=LOADS_TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "events/s is its maximum" in done.stderr
    printed: dict[str, Any] = orjson.loads(done.stdout)
    return printed


@pytest.mark.skipif(sys.platform != "linux", reason="looks children up in /proc")
@pytest.mark.parametrize(
    ("arguments", "moment"),
    [("pipeline", "now plain Faust"), ("lookup --seconds 1", "redis at"), ("freshness", "that it sustains")],
)
def test_ctrl_c_stops_everything_that_was_started(shop: Path, arguments: str, moment: str) -> None:
    process = subprocess.Popen(
        [HEADRACE, "bench", *arguments.split(), "--data", str(shop)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if moment in line:
            break
    children = [int(each) for each in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert len(children) >= 2  # broker and Redis, and most likely a contender
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    assert (process.returncode, output) == (130, "")
    assert "Traceback" not in errors
    # None is left, not even a dead one whose status was not fetched.
    assert not [each for each in children if Path(f"/proc/{each}").exists()]


def test_a_log_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    done = subprocess.run(
        [HEADRACE, "bench", "pipeline", "--data", tmp_path / "nowhere", "--json"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere does not exist; give a folder with events.csv" in done.stderr


def test_no_rounds_at_all_is_refused() -> None:
    done = subprocess.run(
        [HEADRACE, "bench", "pipeline", "--rounds", "0"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "'0': use a whole number above 0" in done.stderr

"""`headrace bench scale` as a user meets it, on a shop so small that it ends soon."""

import os
import signal
import subprocess
import time
from pathlib import Path

import orjson
from workers import HEADRACE

TINY = ["--sizes", "100,300", "--users", "100", "--items", "100", "--events", "400"]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}


def measuring_children(parent: int) -> list[Path]:
    """Find the children that measure. An imported library also runs `file`, for a moment."""
    numbers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [child for child in map(Path, (f"/proc/{number}" for number in numbers)) if measures(child)]


def measures(process: Path) -> bool:
    try:
        return b"scale-part" in (process / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has just ended
        return False


def test_every_size_and_the_start_are_measured_and_told_of_in_one_json_object() -> None:
    command = [HEADRACE, "bench", "scale", *TINY, "--start-sessions", "500", "--json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "3 of 3" in done.stderr
    printed = orjson.loads(done.stdout)
    assert [(part["users"], part["items"]) for part in printed["by_users"]] == [(100, 100), (300, 100)]
    assert [(part["users"], part["items"]) for part in printed["by_items"]] == [(100, 100), (100, 300)]
    assert printed["by_items"][0]["ratio"] == 1
    for part in printed["by_users"] + printed["by_items"]:
        assert (part["events"], printed["sessions"]) == (400, 300)
        assert 0 < part["lists"] <= 400
        assert min(part["array_bytes"].values()) > 0
        assert part["stored"]["server"]["microseconds"] > 0
        for stored in (part["stored"]["profile"], part["stored"]["list"]):
            assert 50 < stored["bytes"] < stored["memory_bytes"]
    start = printed["start"]
    assert start["sessions"] == 500
    assert start["snapshot"]["bytes"] > 10_000
    assert start["log"]["events_per_cpu_second"] > 0


def test_an_interrupt_stops_it_and_what_it_started(tmp_path: Path) -> None:
    log = tmp_path / "stderr"
    command = [HEADRACE, "bench", "scale", "--sizes", "2000000", "--users", "2000000", "--items", "100"]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=errors)
        deadline = time.monotonic() + 60
        while not (started := measuring_children(process.pid)):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert not any(each.exists() for each in started)
    assert "Traceback" not in log.read_text()


def test_sizes_that_are_no_numbers_are_refused_with_advice() -> None:
    command = [HEADRACE, "bench", "scale", "--sizes", "10,big"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "whole numbers above 0 with commas" in done.stderr

"""The chaos suite's short form: kills, stops, late writes, a restart and outages of Redis, and
everything is right afterwards.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from workers import until

TESTS = Path(__file__).resolve().parents[1]
HOLDS = "kill,stop,leave,redis-kill,redis-cut,redis-stall,redis-full"
DISTURBANCES = 7
RUN_SECONDS = 400


@contextmanager
def chaos(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    environ = os.environ | {"PYTHONPATH": str(TESTS), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "chaos", "--folder", str(folder), *arguments]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(RUN_SECONDS)
def test_kills_and_outages_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    arguments = ["--runs", "1", "--seed", "3", "--disturbances", str(DISTURBANCES), "--only", HOLDS, "--json"]
    with chaos(tmp_path, *arguments) as process:
        told, progress = process.communicate(timeout=RUN_SECONDS)
        assert process.returncode == 0, progress.decode()
    found = orjson.loads(told)
    assert (found["right"], found["lost"], found["double"], found["wrong_profiles"]) == (1, 0, 0, 0)
    assert found["records"] == found["accepted"] + found["repeats"] + found["quarantined"]
    assert min(found["accepted"], found["repeats"], found["quarantined"], found["profiles"], found["items"]) > 20
    assert sum(row["times"] for row in found["by_disturbance"].values()) == DISTURBANCES
    assert not list(tmp_path.glob("*")), "the logs of a run that is right are removed"


def test_an_interrupt_stops_every_process(tmp_path: Path) -> None:
    with chaos(tmp_path, "--seed", "3", "--only", "kill") as process:
        until(lambda: any(tmp_path.glob("seed-3/worker-1.1.log")))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert [line for line in running_commands() if str(tmp_path) in line] == []


def running_commands() -> list[str]:
    """The command lines and environments of all processes that we may look at."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                found.append((path / name).read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:  # it has ended, or belongs to another user
                continue
    return found


def test_a_disturbance_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path) -> None:
    with chaos(tmp_path, "--only", "kill,flood") as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "no such disturbance: flood; there are kill, stop, leave" in told.decode()

"""The `headrace` command, before any of its commands begins."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from workers import HEADRACE, PATIENCE_SECONDS

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}


def headrace(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HEADRACE, *arguments], env=ENVIRONMENT | settings, capture_output=True, text=True, check=False
    )


def test_it_tells_its_version() -> None:
    done = headrace("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"headrace {version('headrace')}\n", "")


def test_a_wrong_measurement_is_answered_with_those_that_people_use() -> None:
    told = headrace("bench", "bogus").stderr
    assert "pipeline" in told
    assert [verb for verb in ("load", "feed", "scale-part", "contender") if verb in told] == []


@pytest.mark.parametrize("address", ["", "kafka://kafka:9092"])
def test_an_address_that_is_none_gets_advice(address: str) -> None:
    done = headrace("doctor", HEADRACE_KAFKA_BOOTSTRAP=address)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"headrace: HEADRACE_KAFKA_BOOTSTRAP={address!r}: use host:port")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("command", ["run", "serve", "evaluate", "bench"])
@pytest.mark.parametrize("library", ["orjson", "_multiarray_umath"])
def test_ctrl_c_while_libraries_are_loaded_ends_it_silently(command: str, library: str, tmp_path: Path) -> None:
    arguments = {"run": ["--data", str(tmp_path)], "evaluate": [str(tmp_path)], "bench": ["pipeline"]}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [HEADRACE, command, *arguments.get(command, [])], env=ENVIRONMENT, stdout=pipe, stderr=pipe, text=True
    ) as process:
        _until_loaded(process, library)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, output, errors) == (130, "", "")


def _until_loaded(process: "subprocess.Popen[str]", library: str) -> None:
    """Wait until the process has loaded the library."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while library not in Path(f"/proc/{process.pid}/maps").read_text():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline

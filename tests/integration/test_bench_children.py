"""The processes of a measurement end with it, even when it is killed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

END_SECONDS = 10.0
MEASUREMENT = """
import os, sys
from pathlib import Path
from app.bench.child import child

with child(["serve", "--port", "0", "--json"], os.environ, Path(sys.argv[1])) as process:
    process.stdout.readline()
    print(process.pid, flush=True)
    process.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_measurement_leaves_nothing_running(redis_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASUREMENT, str(tmp_path / "log")]
    environ = {**os.environ, "HEADRACE_REDIS_URL": redis_url}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as measurement:
        assert measurement.stdout is not None
        child = int(measurement.stdout.readline())
        assert _command_line(child)
        measurement.kill()
    try:
        deadline = time.monotonic() + END_SECONDS
        while _command_line(child):
            assert time.monotonic() < deadline, "it goes on"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _command_line(pid: int) -> str:
    """Return the command line; empty for a process that is gone or dead."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""

"""A process that does not end by itself is ended."""

import subprocess
import sys

from app.worker.last_resort import FAILED

BLOCKED = """
import threading
from app.worker.last_resort import end_within
end_within(0.0)
threading.Event().wait()
"""
ENDS = """
from app.worker.last_resort import end_within
end_within(3600.0)
"""


def run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)


def test_a_blocked_process_ends_and_says_so() -> None:
    done = run(BLOCKED)
    assert done.returncode == FAILED
    assert "did not end within 0 s of being asked to" in done.stderr


def test_a_process_that_ends_by_itself_is_not_kept() -> None:
    assert run(ENDS).returncode == 0

"""Lets a worker's wall clock jump: Python imports this at its start from a folder on PYTHONPATH.

The file that CHAOS_CLOCK names holds by how many seconds the clock is ahead. Only Python's
`time.time` and `time_ns` jump: monotonic clocks do not jump on a real machine either, the clocks of
Kafka and Redis are other machines', and `datetime.now`, compiled, cannot be reached this way.
"""

import os
import time
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.1
_real, _real_ns = time.time, time.time_ns
_file = Path(os.environ.get("CHAOS_CLOCK", os.devnull))
_seen = {"next": 0.0, "ahead": 0.0}


def _ahead() -> float:
    now = time.monotonic()
    if now >= _seen["next"]:
        _seen["next"] = now + LOOK_AGAIN_SECONDS
        try:
            _seen["ahead"] = float(_file.read_text() or 0)
        except (OSError, ValueError):  # it is being written this moment
            return _seen["ahead"]
    return _seen["ahead"]


time.time = lambda: _real() + _ahead()
time.time_ns = lambda: _real_ns() + int(_ahead() * 1e9)

"""Runs the installed console script in processes of its own, which end with the measurement
whatever happens.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

from app.bench.span import Span
from app.errors import HeadraceError
from app.local.children import start

STOP_SECONDS = 20.0
TAIL_LINES = 15


@contextmanager
def child(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`headrace` with these arguments for the length of the block; then it is asked to stop, and
    made to.

    Its log goes to `log`, its standard output to whoever reads it.
    """
    with log.open("wb") as errors, ExitStack() as stack:
        command = [str(_console_script()), *arguments]
        yield start(
            stack, command, stop_seconds=STOP_SECONDS, stdout=subprocess.PIPE, stderr=errors, env=dict(environment)
        )


def contend(name: str, events: int, environment: Mapping[str, str], folder: Path) -> Span:
    """Let one contender read all events in a process of its own. Raises HeadraceError when it did
    not.
    """
    log = folder / f"{name}.log"
    with child(["bench", "contender", name, "--events", str(events)], environment, log) as process:
        output, _ = process.communicate()
    if process.returncode != 0:
        raise failed(name, process.returncode, log)
    answer = orjson.loads(output)
    if answer["events"] != events:
        raise HeadraceError(f"{name} read {answer['events']:,} events of {events:,}: this measurement does not count")
    return Span(**answer)


def failed(name: str, status: int, log: Path) -> HeadraceError:
    """The error for a process that ended too early, with the end of its log."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return HeadraceError("\n".join([f"{name} ended with exit status {status}; the end of its log:", *lines]))


def _console_script() -> Path:
    script = Path(sys.executable).with_name("headrace")
    if not script.exists():
        raise HeadraceError(f"there is no console script {script}; install Headrace: make setup")
    return script

"""Worker processes that are started again when they end by themselves, as Kubernetes would do
it.
"""

import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import orjson
from workers import HEADRACE

from app.local.children import start

STOP_SECONDS = 60.0
AGAIN_SECONDS = 1.0
ANSWER_SECONDS = 5.0
LONGEST_NOTE = 300


@dataclass(slots=True)
class Worker:
    """One place in the fleet; its process may change."""

    name: str
    environ: Mapping[str, str]
    folder: Path
    stack: ExitStack
    starts: int = 0
    ends: list[str] = field(default_factory=list)
    _process: "subprocess.Popen[bytes] | None" = None
    _is_wanted: bool = False
    _is_noted: bool = True
    _asked_at: float | None = None
    _again_at: float = 0.0

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Have it run: at once, or when the process that was asked to stop has done so."""
        self._is_wanted = True
        self.tend()

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self.runs:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power failure would; it stays away until it is started."""
        self._is_wanted = False
        self._end()

    def ask_to_stop(self) -> None:
        """SIGTERM; it stays away until it is started."""
        self._is_wanted = False
        if self.runs:
            self._asked_at = time.monotonic()
            self.send(signal.SIGTERM)

    def tend(self) -> None:
        """Note an end that is worth a look, and start the worker again where it is wanted."""
        if self.runs:
            if self._asked_at is not None and time.monotonic() - self._asked_at > STOP_SECONDS:
                self._note(f"did not stop within {STOP_SECONDS:g} s of SIGTERM")
                self._end()
            return
        if not self._is_noted and self._process is not None:
            self._is_noted = True
            status = self._process.returncode
            if self._asked_at is None:
                self._again_at = time.monotonic() + AGAIN_SECONDS
                self._note(f"ended by itself with status {status}")
            elif status not in (0, -signal.SIGTERM):  # the latter before Python could take the signal
                self._note(f"ended with status {status} when it was asked to stop")
        if self._is_wanted and time.monotonic() >= self._again_at:
            self._launch()

    def is_ready(self) -> bool:
        lines = self._told.read_bytes().splitlines() if self._told.exists() else []
        if not lines or not self.runs:
            return False
        try:
            url = orjson.loads(lines[0])["url"].rstrip("/")
            with urllib.request.urlopen(f"{url}/readyz", timeout=ANSWER_SECONDS) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.name}.{self.starts}.log"

    @property
    def _told(self) -> Path:
        return self.folder / f"{self.name}.{self.starts}.out"

    def _launch(self) -> None:
        self.starts += 1
        self._asked_at, self._is_noted = None, False
        with self._log.open("wb") as log, self._told.open("wb") as told:
            self._process = start(
                self.stack, [HEADRACE, "worker", "--json"], stop_seconds=0.1, stdout=told, stderr=log, env=self.environ
            )

    def _end(self) -> None:
        self._is_noted = True
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _note(self, what: str) -> None:
        lines = self._log.read_text(errors="replace").splitlines()
        last = next((line for line in reversed(lines) if line.strip()), "its log is empty")
        self.ends.append(f"{self._log.name} {what}: {last.strip()[:LONGEST_NOTE]}")

"""Logging on standard error, as text for people or JSON for machines; standard output stays for results."""

import logging
import sys
from collections.abc import Callable
from threading import Lock
from time import monotonic

import orjson
from typing_extensions import override

from app.concerns import LogSettings
from app.store.secrecy import Scrub

# Their info lines are about their own insides; `debug` shows them.
CHATTY = (
    "aiokafka",
    "faust",
    "mode",
    "app.kafka.faust_app",
    "app.kafka.batch_consumer",
    "app.kafka.fetch_thread",
    "app.kafka.batch_agent",
)


OURS = ("app", "agents", "models")
REPEAT_SECONDS = 30.0
FIRST_LINES = 3
MOST_KINDS = 10_000


class RepeatFilter(logging.Filter):
    """Lets a warning through a few times, then once in a while with the number of those that were left out.

    A client that lost its server says so many times a second. Of other people's loggers, lines that differ only in
    their arguments count as the same; of ours, only equal ones. Info lines are left alone. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        is_ours = record.name.partition(".")[0] in OURS
        left_out = self._left_out((record.name, record.getMessage() if is_ours else str(record.msg)))
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} more like this, left out)"
            record.args = None
        return left_out is not None

    def _left_out(self, key: tuple[str, str]) -> int | None:
        """How many were left out before this line; None to leave this one out too."""
        with self._lock:
            now = self._clock()
            since, count = self._seen.get(key, (now, 0))
            if now - since < REPEAT_SECONDS:
                self._seen[key] = since, count + 1
                return 0 if count < FIRST_LINES else None
            if len(self._seen) >= MOST_KINDS:
                self._seen.clear()
            # What goes on and on is worth one line from now on.
            self._seen[key] = now, FIRST_LINES if count > FIRST_LINES else 1
            return max(0, count - FIRST_LINES)


class TextFormatter(logging.Formatter):
    """One line of text, with a traceback below it where there is one; `scrub` hides secrets."""

    def __init__(self, scrub: Scrub) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        self._scrub = scrub

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self._scrub(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `scrub` hides secrets."""

    def __init__(self, scrub: Scrub) -> None:
        super().__init__()
        self._scrub = scrub

    @override
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "ts": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._scrub(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = self._scrub(self.formatException(record.exc_info))
        return orjson.dumps(entry).decode()


def configure_logs(settings: LogSettings, scrub: Scrub) -> None:
    """Send every logger's lines to standard error, with secrets hidden by `scrub`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(scrub) if settings.format == "json" else TextFormatter(scrub))
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    if settings.level == "info":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

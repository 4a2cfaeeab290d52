"""Configures logging on standard error, as text for people or JSON for machines.

Standard output is kept for results.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import Lock
from time import monotonic
from typing import Any

import orjson
from typing_extensions import override

from app.concerns import LogSettings
from app.store.secrecy import Scrub

# Info lines of these loggers describe their own internals. They are shown at level `debug`.
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
KAFKA_CLIENT = "aiokafka"
REPEAT_SECONDS = 30.0
FIRST_LINES = 3
MOST_KINDS = 10_000
BATCH_FIELDS = ("topic", "partition", "offset", "records")


# The batches that the present task works on: topic, partition, first offset, number of records.
IN_HAND: ContextVar[Sequence[tuple[str, int, int, int]]] = ContextVar("IN_HAND", default=())


class RepeatFilter(logging.Filter):
    """Passes a repeated warning 3 times, then once every 30 s with the number of omitted lines.

    A client that lost its server logs the same warning many times a second. For loggers of other
    packages, lines that differ only in their arguments count as equal; for Headrace's loggers, only
    identical lines do. Info lines always pass. `clock` gives seconds.
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
        """Return how many lines were left out before this one; None to leave this one out too."""
        with self._lock:
            now = self._clock()
            since, count = self._seen.get(key, (now, 0))
            if now - since < REPEAT_SECONDS:
                self._seen[key] = since, count + 1
                return 0 if count < FIRST_LINES else None
            if len(self._seen) >= MOST_KINDS:
                self._seen.clear()
            # A warning that continues gets one line per period from now on.
            self._seen[key] = now, FIRST_LINES if count > FIRST_LINES else 1
            return max(0, count - FIRST_LINES)


class TextFormatter(logging.Formatter):
    """Formats one line of text, with a traceback below it if there is one.

    `scrub` hides secrets.
    """

    def __init__(self, scrub: Scrub) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        self._scrub = scrub

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self._scrub(super().format(record))


class JsonFormatter(logging.Formatter):
    """Formats one JSON object per line, with the batches in hand. `scrub` hides secrets."""

    def __init__(self, scrub: Scrub) -> None:
        super().__init__()
        self._scrub = scrub

    @override
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "ts": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._scrub(record.getMessage()),
        }
        if batches := IN_HAND.get():
            entry["batches"] = [dict(zip(BATCH_FIELDS, batch, strict=True)) for batch in batches]
        if record.exc_info:
            entry["exception"] = self._scrub(self.formatException(record.exc_info))
        return orjson.dumps(entry).decode()


def configure_logs(settings: LogSettings, scrub: Scrub) -> None:
    """Send every logger's lines to standard error. `scrub` hides secrets in them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(scrub) if settings.format == "json" else TextFormatter(scrub))
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    if settings.level == "info":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def quiet_kafka_client(settings: LogSettings) -> None:
    """Leave out what Kafka's client library logs, unless the level is `debug`.

    It is for commands that say in one line what the library says in many.
    """
    if settings.level != "debug":
        logging.getLogger(KAFKA_CLIENT).setLevel(logging.CRITICAL)

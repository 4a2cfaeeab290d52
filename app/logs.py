"""Logging on standard error, as text for people or JSON for machines; standard output stays for results."""

import logging
import sys

import orjson
from typing_extensions import override

from app.concerns import LogSettings

# Their info lines are about their own insides; `debug` shows them.
CHATTY = ("aiokafka", "faust", "mode", "app.faust_app", "app.batch_consumer", "app.fetch_thread", "app.batch_agent")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "ts": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry).decode()


def configure_logs(settings: LogSettings) -> None:
    """Send every logger's lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter()
        if settings.format == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    )
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    if settings.level == "info":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)

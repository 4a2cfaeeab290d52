"""Ends a process that was asked to stop and does not, whatever it waits for."""

import logging
import os
import threading

FAILED = 1

logger = logging.getLogger(__name__)


def end_within(seconds: float) -> None:
    """End this process with status 1 once so many seconds have passed, if it still runs then.

    It works although the event loop is blocked, or Python waits for a thread as it ends.
    """
    timer = threading.Timer(seconds, _end, [seconds])
    timer.daemon = True  # it keeps no process alive that ends by itself
    timer.start()


def _end(seconds: float) -> None:
    logger.error(
        "the worker did not end within %g s of being asked to, and is ended now; what it has not committed will be "
        "read again",
        seconds,
    )
    logging.shutdown()
    os._exit(FAILED)

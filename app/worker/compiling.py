"""Says what a start waits for while numba compiles, as it does once after installing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

SLOW_SECONDS = 5.0  # from numba's cache it takes 1 to 2

logger = logging.getLogger(__name__)


@contextmanager
def told_if_slow(seconds: float = SLOW_SECONDS) -> Iterator[None]:
    """Log that code is being compiled if the block takes longer than this."""
    timer = Timer(seconds, _tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _tell() -> None:
    # A warning, as `headrace run` shows no less of its worker.
    logger.warning(
        "compiling the numerical code: a minute or two, at the first start after installing; later starts find it "
        "in NUMBA_CACHE_DIR, or beside the installed files"
    )

"""Tries calls again until they work.

A dependency that is away pauses the stream; nothing is dropped.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import Counter

from app.errors import HeadraceError, in_words
from app.health import Health

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retry:
    """Repeats a call to one dependency, with growing pauses, while it raises one of `errors`."""

    name: str
    errors: tuple[type[Exception], ...]
    health: Health
    retries: Counter
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    refuses: Callable[[Exception], bool] = lambda _: False
    advice: Callable[[Exception], str] = lambda _: "Ask `headrace doctor`."

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return the first result of `call`. Until then the worker reports that it is not ready.

        Raises HeadraceError when the dependency `refuses` the call, as it would refuse it again.
        """
        caller, pause = object(), FIRST_PAUSE_SECONDS
        try:
            while True:
                try:
                    result = await call()
                except self.errors as error:
                    if self.refuses(error):
                        raise HeadraceError(
                            f"{self.name} refuses a command, and would again: {in_words(error)}. {self.advice(error)}"
                        ) from error
                    if self.health.fails(self.name, caller, in_words(error)):
                        logger.warning("%s is away, trying again until it is back: %s", self.name, in_words(error))
                    self.retries.labels(self.name).inc()
                    await self.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                else:
                    if self.health.works(self.name, caller):
                        logger.info("%s is back", self.name)
                    return result
        finally:  # a caller that gave up does not count as failing
            self.health.works(self.name, caller)

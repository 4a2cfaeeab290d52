"""Reads over HTTP how far the worker is."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from app.errors import HeadraceError
from app.local.scrape import Reading, parse_metrics

POLL_SECONDS = 0.1
STALLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Watches one worker over HTTP."""

    http: aiohttp.ClientSession
    url: str

    async def ready(self) -> None:
        """Wait until the worker writes fresh lists."""
        while not await self._is_ready():
            await asyncio.sleep(POLL_SECONDS)

    async def read(self) -> Reading:
        """Return the counters now. Raises HeadraceError when the worker does not answer."""
        with _explained("worker"):
            async with self.http.get(f"{self.url}/metrics") as answer:
                answer.raise_for_status()
                return parse_metrics(await answer.text())

    async def until(self, done: Callable[[Reading], bool], show: Callable[[Reading], None]) -> Reading:
        """Read until `done`, and show each reading.

        Raises HeadraceError when no counter changes for 60 s.
        """
        reading, moved_at = await self.read(), asyncio.get_running_loop().time()
        while not done(reading):
            await asyncio.sleep(POLL_SECONDS)
            before, reading = reading, await self.read()
            show(reading)
            now = asyncio.get_running_loop().time()
            if (reading.events, reading.items) != (before.events, before.items):
                moved_at = now
            elif now - moved_at > STALLED_SECONDS:
                raise HeadraceError(
                    f"the worker has not moved for {STALLED_SECONDS:g} s; does another worker of the group "
                    "(HEADRACE_KAFKA_GROUP) take the events? run `headrace doctor`"
                )
        return reading

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


async def get_json(http: aiohttp.ClientSession, url: str) -> Any:
    """Return the look-up process's answer to a URL in its encoded form.

    Raises HeadraceError for any answer but success.
    """
    with _explained("look-up process"):
        async with http.get(URL(url, encoded=True)) as answer:
            answer.raise_for_status()
            return await answer.json()


@contextmanager
def _explained(who: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        raise HeadraceError(
            f"the {who} gives no answer ({error or type(error).__name__}); its log is above, run `headrace doctor`"
        ) from error

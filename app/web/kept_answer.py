"""An answer that costs much to make, kept for some time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from app.web.lookups import json_response


@dataclass(slots=True)
class KeptAnswer:
    """Answers what `read` gives, which is asked again after `seconds` at the earliest. `clock`
    gives seconds.
    """

    read: Callable[[], Awaitable[dict[str, Any]]]
    seconds: float
    clock: Callable[[], float]
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _kept: tuple[float, dict[str, Any]] | None = None

    async def answer(self) -> web.Response:
        """Answer as JSON; whoever comes while it is read gets the same."""
        async with self._reading:
            now = self.clock()
            if self._kept is None or not 0 <= now - self._kept[0] < self.seconds:
                self._kept = now, await self.read()
            return json_response(self._kept[1])

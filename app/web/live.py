"""Tells what goes on: the workers' figures once, and as a stream of server-sent events."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict
from http import HTTPStatus

import orjson
from aiohttp import web

from app.errors import HeadraceError
from app.guard.problems import Problem
from app.store.lookup import Lookups
from app.web.history import FeedEntry, History
from app.web.lookups import json_response
from app.web.requests import seconds_in
from app.web.route import Route, in_json, in_query, in_text
from app.web.schemas import SECONDS
from headrace.errors import StoreAway

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
MOST_STREAMS = 100
FEED_USERS = 4  # new lists a second, of perhaps thousands
FEED_ITEMS = 3
STREAM_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold the events back
}


class LiveResource:
    """Reads the figures every second, keeps an hour of them, and sends them to who listens."""

    def __init__(self, lookups: Lookups, clock: Callable[[], float]) -> None:
        self._lookups = lookups
        self._clock = clock
        self._history = History()
        self._came = asyncio.Event()
        self._streams = 0
        self._is_ending = False
        self._newest_list = 0.0

    def routes(self) -> list[Route]:
        """Return the routes of this resource."""
        since = in_query("since", SECONDS | {"default": 0}, "leaves out what is older")
        figures, both = in_json("LiveFigures", "the figures"), in_json("Update", "both")
        events = in_text("text/event-stream", "server-sent events; each has what came since the last one")
        return [
            Route("GET", "/live", self.live, "The workers' figures", figures),
            Route("GET", "/live/history", self.history, "The figures, and their last hour", both, (since,)),
            Route("GET", "/live/stream", self.stream, "The same every second, without an end", events, (since,)),
        ]

    async def live(self, request: web.Request) -> web.Response:
        """The workers' live figures."""
        return json_response(asdict(await self._lookups.live()))

    async def history(self, request: web.Request) -> web.Response:
        """The figures of now, and the points of the last hour after `since`."""
        since = seconds_in(request, "since", 0.0)
        await self._until_after(0.0)
        await self._drop_forgotten()
        return json_response(self._history.since(since))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send the same every second, each time with what came since the last time."""
        since = seconds_in(request, "since", 0.0)
        if self._streams >= MOST_STREAMS:
            detail = f"{MOST_STREAMS} pages listen already; ask GET /live/history instead."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        response = web.StreamResponse(headers=STREAM_HEADERS)
        self._streams += 1  # before any await, so that no other takes the same place
        try:
            await self._drop_forgotten()
            await response.prepare(request)
            sent = 0.0
            while await self._until_after(sent):
                update = self._history.since(since)
                sent = since = self._history.at
                await response.write(b"data: " + orjson.dumps(update) + b"\n\n")
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._streams -= 1
        return response

    async def sampling(self, _: web.Application) -> AsyncIterator[None]:
        """Read the figures as long as the application runs."""
        task = asyncio.create_task(self._sample())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def end_streams(self, _: web.Application) -> None:
        """Let all streams end, so that the process can."""
        self._is_ending = True
        self._came.set()

    async def _drop_forgotten(self) -> None:
        """Keep no lists of users whose profile was erased meanwhile."""
        names = sorted(self._history.users())
        histories = await asyncio.gather(*map(self._lookups.profile, names))
        self._history.drop({name for name, past in zip(names, histories, strict=True) if past is None})

    async def _until_after(self, at: float) -> bool:
        """Wait for figures that came after `at`. Returns False when the process ends."""
        while self._history.at <= at and not self._is_ending:
            await self._came.wait()
        return not self._is_ending

    async def _sample(self) -> None:
        while True:
            await self._read()
            came, self._came = self._came, asyncio.Event()
            came.set()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        # Never twice the same time: who listens asks for what came after the last one.
        at = max(self._clock(), math.nextafter(self._history.at, math.inf))
        try:
            self._history.add(at, await self._lookups.live(), await self._new_lists(at))
        except StoreAway:
            self._history.miss(at, "Redis does not answer; trying again.")
        except HeadraceError as error:
            self._history.miss(at, str(error))
        except Exception:  # whatever it is, the page goes on and says so
            log.exception("unexpected failure reading the workers' figures")
            self._history.miss(at, "The figures cannot be read; the log of this process has the details.")

    async def _new_lists(self, at: float) -> list[FeedEntry]:
        """Return some of the lists that were written since the last time, oldest first."""
        users = [each for each in await self._lookups.recent_users(FEED_USERS) if each.generated_at > self._newest_list]
        if not users:
            return []
        self._newest_list = users[0].generated_at
        names = [each.user_id for each in reversed(users)]
        lists = await self._lookups.recommendations_of(names, FEED_ITEMS)
        histories = await asyncio.gather(*map(self._lookups.profile, names))
        return [
            FeedEntry(at, name, asdict(past.recent[0]), tuple(found.rows))
            for name, found, past in zip(names, lists, histories, strict=True)
            if past and past.recent
        ]

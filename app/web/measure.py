"""Measures how long requests take, by route and status, for Prometheus."""

from collections.abc import Callable
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Histogram

NO_ROUTE = "none"


def measure_requests(seconds: Histogram, stopwatch: Callable[[], float] = perf_counter) -> Middleware:
    """Return a middleware that measures every request. The route is a pattern and holds no id."""

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        start = stopwatch()
        response = await handler(request)
        if not isinstance(response, web.Response):
            # A stream ends when its reader leaves. Its duration does not tell how fast we are.
            return response
        seconds.labels(_route(request), str(response.status)).observe(stopwatch() - start)
        return response

    return measure


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else NO_ROUTE

"""Measures how long requests take, by route and status, for Prometheus."""

from collections.abc import Callable
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Histogram

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NO_ROUTE = "none"


def measure_requests(registry: CollectorRegistry, stopwatch: Callable[[], float] = perf_counter) -> Middleware:
    """Return a middleware that measures every request. The route is a pattern and holds no id."""
    seconds = Histogram(
        "headrace_http_request_seconds",
        "Time to answer a look-up or another HTTP request",
        ("route", "status"),
        buckets=BUCKETS,
        registry=registry,
    )

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        start = stopwatch()
        response = await handler(request)
        seconds.labels(_route(request), str(response.status)).observe(stopwatch() - start)
        return response

    return measure


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else NO_ROUTE

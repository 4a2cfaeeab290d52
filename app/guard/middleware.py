"""Checks each request before it is handled, and gives every response the headers of security."""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.concerns import HttpSettings
from app.guard.access import Access
from app.guard.problems import Problem, problem
from app.guard.rate import RateLimit

log = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 4096
PROBES = frozenset({"/healthz", "/readyz"})
SERVER = "headrace"  # by which `headrace doctor` knows its own processes
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="headrace"'}


def guard(settings: HttpSettings, clock: Callable[[], float] = monotonic) -> Middleware:
    """Return a middleware that raises Problem for requests that may not be answered.

    Probes pass always: Kubernetes has no token, and must not be turned away when there is a rush.
    """
    access, limit = Access.of(settings), RateLimit(settings.requests_per_second, clock)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if (request.content_length or 0) > LARGEST_BODY_BYTES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {LARGEST_BODY_BYTES} bytes.")
        if request.path in PROBES:
            return await handler(request)
        if wait := limit.wait_for(request.remote):
            seconds = {"Retry-After": str(math.ceil(wait))}
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests from this address; ask later.", seconds)
        if not access.allows(request.path, request.headers.get("Authorization", "")):
            detail = "Send a token of HEADRACE_HTTP_TOKENS: the header Authorization: Bearer and the token."
            raise Problem(HTTPStatus.UNAUTHORIZED, detail, CHALLENGE)
        return await handler(request)

    return check


@web.middleware
async def plain_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure of a handler into problem details; for processes without look-ups."""
    try:
        return await handler(request)
    except Problem as refused:
        return problem(refused.status, refused.detail, refused.headers)
    except web.HTTPException as refused:
        return problem(refused.status, refused.reason)
    except Exception:  # whatever it is, the caller gets no traceback
        log.exception("unexpected failure answering %s", request.method)
        return problem(500, "Something unexpected happened; the log of this process has the details.")


async def secure(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Add the headers that every response carries."""
    headers = response.headers
    headers["Server"] = SERVER  # in place of the versions of Python and aiohttp
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")

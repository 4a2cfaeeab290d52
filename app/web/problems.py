"""Answers every failure of a look-up with problem details that say what to do."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from app.errors import HeadraceError
from app.guard.problems import Problem, problem
from headrace.errors import StoreAway

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "1"


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure of the handler into problem details."""
    try:
        return await handler(request)
    except Problem as refused:
        return problem(refused.status, refused.detail, refused.headers)
    except web.HTTPException as refused:
        return _of_aiohttp(request, refused)
    except StoreAway as away:
        log.warning("%s", away)
        return problem(503, "Redis does not answer; try again.", {"Retry-After": RETRY_AFTER_SECONDS})
    except HeadraceError as error:
        log.error("%s", error)
        return problem(500, str(error))
    except Exception:  # whatever it is, the caller gets no traceback
        log.exception("unexpected failure answering %s", request.method)
        return problem(500, "Something unexpected happened; the log of this process has the details.")


def _of_aiohttp(request: web.Request, refused: web.HTTPException) -> web.Response:
    match refused:
        case web.HTTPNotFound():
            paths = sorted({resource.canonical for resource in request.app.router.resources()})
            return problem(404, f"There is nothing at this path; there is {', '.join(paths)}.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(refused.allowed_methods))
            return problem(405, f"{request.method} is not possible here; use {allowed}.", {"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return problem(413, "The body is too large for one click.")
    return problem(refused.status, refused.reason)

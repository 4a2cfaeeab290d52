"""Answers every HTTP error with problem details (RFC 9457), so that no caller gets a traceback."""

import logging
from http import HTTPStatus

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from app.errors import HeadraceError
from app.store.connection import StoreAway

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "1"


class Problem(Exception):
    """An error that answers a request. `detail` says what to do about it."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return the problem as a response.

    Its type is about:blank: the status says what kind it is.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.Response(body=orjson.dumps(body), status=status, content_type=CONTENT_TYPE, headers=headers)


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure of the handler into problem details."""
    try:
        return await handler(request)
    except Problem as refused:
        return problem(refused.status, refused.detail)
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

"""Describes the HTTP interface as OpenAPI 3.1, out of the routes that are served."""

from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from app.guard.access import FREE_PATHS
from app.guard.middleware import LARGEST_BODY_BYTES, PROBES
from app.guard.problems import CONTENT_TYPE
from app.web.route import Route
from app.web.schemas import SCHEMAS, TEXT, reference

Schema = dict[str, Any]

RETRY_AFTER: Schema = {"Retry-After": {"schema": TEXT, "description": "seconds after which to ask again"}}
CHALLENGED: Schema = {"WWW-Authenticate": {"schema": TEXT}}
REFUSALS: dict[HTTPStatus, tuple[str, Schema]] = {
    HTTPStatus.BAD_REQUEST: ("a parameter or the body cannot be used", {}),
    HTTPStatus.UNAUTHORIZED: ("a token of HEADRACE_HTTP_TOKENS is needed", CHALLENGED),
    HTTPStatus.FORBIDDEN: ("the settings do not allow it", {}),
    HTTPStatus.NOT_FOUND: ("nothing is known of it", {}),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (f"the body has more than {LARGEST_BODY_BYTES} bytes", {}),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("the body is not sent as application/json", {}),
    HTTPStatus.TOO_MANY_REQUESTS: ("too many requests from this address", RETRY_AFTER),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("a stored value cannot be read, or a fault of the server", {}),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Redis or Kafka does not answer", RETRY_AFTER),
}


def description(routes: Iterable[Route], *, needs_token: bool = False) -> Schema:
    """Return the whole description as an object of JSON. `needs_token`: the server has tokens."""
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version("headrace"), "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}] if needs_token else [],
    }


def refusals_of(route: Route) -> list[HTTPStatus]:
    """Return the statuses of all failures of a route."""
    found = {*route.refusals, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INTERNAL_SERVER_ERROR}
    found |= {HTTPStatus.SERVICE_UNAVAILABLE}
    if route.parameters or route.body:
        found.add(HTTPStatus.BAD_REQUEST)
    if route.path not in FREE_PATHS:
        found.add(HTTPStatus.UNAUTHORIZED)
    if route.path not in PROBES:
        found.add(HTTPStatus.TOO_MANY_REQUESTS)
    return sorted(found)


def _operation(route: Route) -> Schema:
    operation: Schema = {
        "summary": route.summary,
        "parameters": list(route.parameters),
        "responses": {str(route.status.value): route.answer}
        | {str(status.value): _refusal(status) for status in refusals_of(route)},
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.body}}}
    if route.path in FREE_PATHS:
        operation["security"] = []
    return operation


def _refusal(status: HTTPStatus) -> Schema:
    """Return the description of problem details (RFC 9457)."""
    text, headers = REFUSALS[status]
    content = {CONTENT_TYPE: {"schema": reference("Problem")}}
    return {"description": text, "content": content} | ({"headers": headers} if headers else {})

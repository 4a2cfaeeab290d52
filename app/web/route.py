"""Declares a route of the HTTP process once: what handles it, and what the description says."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from app.web.schemas import TEXT, reference
from headrace.questions import K_MAX

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. `answer` is that of a success, with `status`.

    `refusals` are the failures that are particular to the route; all routes share some more. A
    parameter in the path is written as `{user_id}`. `body` is the schema of a JSON body.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: Schema
    parameters: tuple[Schema, ...] = ()
    refusals: tuple[HTTPStatus, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    body: Schema | None = None

    def served(self) -> web.RouteDef:
        """Return the route for aiohttp.

        An id may hold anything, a slash as %2F; hence patterns of their own.
        """
        return web.route(self.method, self.path.replace("}", ":[^/]+}"), self.handler)


def in_json(schema: str | Schema, text: str) -> Schema:
    """Return the description of an answer in JSON; `schema` may be the name of a known one."""
    found = reference(schema) if isinstance(schema, str) else schema
    return {"description": text, "content": {"application/json": {"schema": found}}}


def in_text(content_type: str, text: str) -> Schema:
    """Return the description of an answer that is no JSON."""
    return {"description": text, "content": {content_type: {"schema": TEXT}}}


def in_path(name: str, schema: Schema) -> Schema:
    """Return a parameter in the path."""
    return {"name": name, "in": "path", "schema": schema, "required": True}


def in_query(name: str, schema: Schema, text: str = "", *, required: bool = False) -> Schema:
    """Return a parameter of the query; an array is the same parameter several times."""
    said: Mapping[str, str] = {"description": text} if text else {}
    return {"name": name, "in": "query", "schema": schema, "required": required, **said}


def count(name: str, default: int) -> Schema:
    """Return a parameter that tells how many are wanted."""
    return in_query(name, {"type": "integer", "minimum": 1, "maximum": K_MAX, "default": default})


def flag(name: str, text: str = "") -> Schema:
    """Return a parameter that is true or false."""
    return in_query(name, {"type": "boolean", "default": False}, text)

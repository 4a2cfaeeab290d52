"""Serves the description of the HTTP interface: OpenAPI for programs, and a page for people."""

from collections.abc import Sequence

import orjson
from aiohttp import web

from app.web.lookups import json_bytes
from app.web.openapi import description
from app.web.page import html_response
from app.web.reference_page import reference_page
from app.web.route import Route, in_json, in_text


class DescriptionResource:
    """Serves the description of its own routes and of all others, made once."""

    def __init__(self, others: Sequence[Route], *, needs_token: bool) -> None:
        document = in_json({"type": "object"}, "OpenAPI 3.1")
        self._routes = [
            Route("GET", "/openapi.json", self.show, "This description", document),
            Route("GET", "/api", self.show_page, "This description as a page", in_text("text/html", "the page")),
        ]
        said = description([*others, *self._routes], needs_token=needs_token)
        self._document = orjson.dumps(said)
        self._page = reference_page(said)

    def routes(self) -> list[Route]:
        """Return the routes of this resource."""
        return self._routes

    async def show(self, request: web.Request) -> web.Response:
        """Answer the description."""
        return json_bytes(self._document)

    async def show_page(self, request: web.Request) -> web.Response:
        """Answer the page."""
        return html_response(self._page)

"""Serves the description of the HTTP interface."""

from dataclasses import dataclass

from aiohttp import web

from app.web.lookups import json_response
from app.web.openapi import description


@dataclass(frozen=True, slots=True)
class DescriptionResource:
    """Serves the description."""

    def routes(self) -> list[web.RouteDef]:
        """Return the route of this resource."""
        return [web.get("/openapi.json", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Answer the description."""
        return json_response(description())

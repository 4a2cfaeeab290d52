"""Serves the probes and metrics of the HTTP process."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.store.lookup import Lookups
from app.web.lookups import json_response


@dataclass(frozen=True, slots=True)
class ProbeResources:
    """Answers whether the process lives, whether it can answer look-ups, and its metrics."""

    lookups: Lookups
    registry: CollectorRegistry

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics),
        ]

    async def healthz(self, request: web.Request) -> web.Response:
        """Answer that the process lives."""
        return json_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.Response:
        """Answer whether Redis answers, and so whether look-ups can be answered."""
        await self.lookups.ping()
        return json_response({"status": "ready"})

    async def metrics(self, request: web.Request) -> web.Response:
        """Answer all collectors of the registry, in the format that the scraper asks for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self.registry), headers={"Content-Type": content_type})

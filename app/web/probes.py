"""Probes and metrics."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.store.lookup import Lookups
from app.web.lookups import json_response


@dataclass(frozen=True, slots=True)
class ProbeResources:
    """Whether the process lives, whether it can answer, and how it does."""

    lookups: Lookups
    registry: CollectorRegistry

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics),
        ]

    async def healthz(self, request: web.Request) -> web.Response:
        """The process answers."""
        return json_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.Response:
        """Redis answers, so look-ups can be answered."""
        await self.lookups.ping()
        return json_response({"status": "ready"})

    async def metrics(self, request: web.Request) -> web.Response:
        """All collectors of the registry, in the format that the scraper asks for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self.registry), headers={"Content-Type": content_type})

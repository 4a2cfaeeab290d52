"""Serves the probes and metrics of the HTTP process."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.store.lookup import Lookups
from app.web.lookups import json_response
from app.web.route import Route, in_json, in_text


@dataclass(frozen=True, slots=True)
class ProbeResources:
    """Answers whether the process lives, whether it can answer look-ups, and its metrics."""

    lookups: Lookups
    registry: CollectorRegistry

    def routes(self) -> list[Route]:
        """Return the routes."""
        status = in_json("Status", "it does")
        return [
            Route("GET", "/healthz", self.healthz, "Whether the process lives", status),
            Route("GET", "/readyz", self.readyz, "Whether Redis answers", status),
            Route("GET", "/metrics", self.metrics, "Metrics for Prometheus", in_text("text/plain", "the metrics")),
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

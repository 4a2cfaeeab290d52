"""Lays some items of the catalogue out by the meaning of their titles, for the console."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from app.store.lookup import Lookups
from app.web.kept_answer import KeptAnswer
from app.web.route import Route, in_json
from headrace.answers import CatalogueEntry
from models.quality.assessment import unpack_vectors
from models.vectors.plane import lay_out

KEPT_SECONDS = 60.0


class MapResource:
    """Serves GET /catalogue/map, out of at most 500 items; made again after 60 s at the earliest.

    `clock` gives seconds.
    """

    def __init__(self, lookups: Lookups, clock: Callable[[], float]) -> None:
        self._lookups = lookups
        self._answer = KeptAnswer(self._read, KEPT_SECONDS, clock)

    def routes(self) -> list[Route]:
        """Return the route of this resource."""
        summary = "Some items on a plane: those with titles of a similar meaning are near each other"
        return [Route("GET", "/catalogue/map", self.show, summary, in_json("CatalogueMap", "the items"))]

    async def show(self, request: web.Request) -> web.Response:
        """Answer the items and their places."""
        return await self._answer.answer()

    async def _read(self) -> dict[str, Any]:
        located = await self._lookups.located()
        points = await asyncio.to_thread(_lay_out, located.vectors)
        items = [_as_json(entry, x, y) for entry, (x, y) in zip(located.entries, points, strict=True)]
        return {"items": items, "left_out": located.left_out}


def _lay_out(stored: Sequence[bytes]) -> list[list[float]]:
    if not stored:
        return []
    points: list[list[float]] = lay_out(unpack_vectors(stored)).round(4).tolist()
    return points


def _as_json(entry: CatalogueEntry, x: float, y: float) -> dict[str, Any]:
    told = {"item_id": entry.item_id, "x": x, "y": y, "title": entry.title, "category": entry.category}
    is_shown = entry.available and entry.recommendable is not False
    return {name: value for name, value in told.items() if value is not None} | {"shown": is_shown}

"""Sums the catalogue up for the console: what its items lack, how they are judged, what was
repaired.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from app.store.catalogue_pages import CatalogueChoice
from app.store.clustered import START
from app.store.lookup import Lookups
from app.web.kept_answer import KeptAnswer
from app.web.route import Route, in_json
from headrace.answers import CatalogueEntry

MOST_ITEMS = 100_000
MOST_PAGES = 25  # each reads up to 20,000 keys, of which items may be few
KEPT_SECONDS = 30.0
READINGS = 2  # after a failover in the first one, the second begins again
QUALITY_BINS = 50
REPAIRS_SHOWN = 10
# What an item should have; without a title it cannot be judged.
WANTED = ("title", "category", "brand", "price", "url", "image_url")


@dataclass(slots=True)
class CatalogueSummary:
    """Counts of items. `quality` has the judged ones in 50 bins of 0.02 from 0 to 1."""

    items: int = 0
    unavailable: int = 0
    hidden_by_text: int = 0
    judged: int = 0
    quality: list[int] = field(default_factory=lambda: [0] * QUALITY_BINS)
    have: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    repaired: list[dict[str, Any]] = field(default_factory=list)

    def add(self, entry: CatalogueEntry) -> None:
        """Count one item."""
        self.items += 1
        self.unavailable += not entry.available
        self.hidden_by_text += entry.available and entry.recommendable is False
        self.have.update(name for name in WANTED if getattr(entry, name) is not None)
        self.reasons.update(entry.reasons or ())
        if entry.quality is not None:
            self.judged += 1
            self.quality[min(QUALITY_BINS - 1, max(0, int(entry.quality * QUALITY_BINS)))] += 1
        for repair in entry.repairs:
            self.repairs[repair["rule"]] += 1
            if len(self.repaired) < REPAIRS_SHOWN:
                self.repaired.append({"item_id": entry.item_id, **repair})

    def as_json(self, *, is_whole: bool) -> dict[str, Any]:
        """Return the counts. `is_whole` tells whether all items were counted."""
        return {
            "items": self.items,
            "unavailable": self.unavailable,
            "hidden_by_text": self.hidden_by_text,
            "judged": self.judged,
            "quality": self.quality,
            "have": {name: self.have[name] for name in WANTED},
            "reasons": dict(self.reasons.most_common()),
            "repairs": dict(self.repairs.most_common()),
            "repaired": self.repaired,
            "is_whole": is_whole,
        }


class SummaryResource:
    """Serves GET /catalogue/summary, out of the first 100,000 items among the first 500,000 keys.

    They are counted again after 30 s at the earliest. `clock` gives seconds.
    """

    def __init__(self, lookups: Lookups, clock: Callable[[], float]) -> None:
        self._lookups = lookups
        self._answer = KeptAnswer(self._read, KEPT_SECONDS, clock)

    def routes(self) -> list[Route]:
        """Return the route of this resource."""
        summary = "What the catalogue's items lack, and how they are judged"
        return [Route("GET", "/catalogue/summary", self.show, summary, in_json("Summary", "counts"))]

    async def show(self, request: web.Request) -> web.Response:
        """Answer the counts."""
        return await self._answer.answer()

    async def _read(self) -> dict[str, Any]:
        for _ in range(READINGS):
            before = await self._lookups.servers()
            summary, is_whole = await self._count()
            if await self._lookups.servers() == before:
                return summary.as_json(is_whole=is_whole)
        # Servers changed again: their places in the keys are others, so items may lack.
        return summary.as_json(is_whole=False)

    async def _count(self) -> tuple[CatalogueSummary, bool]:
        """Return the counts, and whether the walk came to the end."""
        summary, seen, place = CatalogueSummary(), set[str](), START
        for _ in range(MOST_PAGES):
            page = await self._lookups.catalogue(CatalogueChoice(), place, MOST_ITEMS)
            for entry in page.entries:
                if entry.item_id not in seen:  # SCAN may return a key twice
                    seen.add(entry.item_id)
                    summary.add(entry)
            if page.place is None:
                return summary, True
            if summary.items >= MOST_ITEMS:
                break
            place = page.place
        return summary, False

"""Shows the catalogue in pages, with a search, for the console."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from app.guard.problems import Problem
from app.store.catalogue_pages import CatalogueChoice
from app.store.clustered import START, Place
from app.store.lookup import Lookups
from app.web.lookups import entry_as_json, json_response
from app.web.requests import count_in, flag_in
from app.web.route import Route, count, flag, in_json, in_query

PAGE_ITEMS = 50
LONGEST_TEXT = 128
CURSOR = re.compile(r"([0-9]{1,4})-([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class CatalogueResource:
    """Serves GET /catalogue."""

    lookups: Lookups

    def routes(self) -> list[Route]:
        """Return the route of this resource."""
        return [
            Route(
                "GET",
                "/catalogue",
                self.show,
                "A page of the catalogue, in no order",
                in_json("Catalogue", "the items"),
                (
                    in_query(
                        "search",
                        {"type": "string", "maxLength": LONGEST_TEXT},
                        "a part of the id, title, category or brand",
                    ),
                    flag("hidden", "only items that no list may hold"),
                    in_query("cursor", {"type": "string", "pattern": f"^{CURSOR.pattern}$"}, "that of the page before"),
                    count("k", PAGE_ITEMS),
                ),
            )
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Answer a page of the items that are wanted, and where the next page begins."""
        text = request.query.get("search", "")
        if len(text) > LONGEST_TEXT:
            raise Problem(HTTPStatus.BAD_REQUEST, f"search has {len(text)} characters; use at most {LONGEST_TEXT}.")
        choice = CatalogueChoice(text.strip(), hidden_only=flag_in(request, "hidden"))
        page = await self.lookups.catalogue(choice, _place_in(request), count_in(request, default=PAGE_ITEMS))
        cursor = "-".join(map(str, page.place)) if page.place else None
        return json_response({"items": list(map(entry_as_json, page.entries)), "cursor": cursor, "read": page.read})


def _place_in(request: web.Request) -> Place:
    given = request.query.get("cursor")
    if given is None:
        return START
    # The number of a node, and a cursor of 64 bits.
    if (found := CURSOR.fullmatch(given)) and int(found[2]) < 1 << 64:
        return int(found[1]), int(found[2])
    raise Problem(HTTPStatus.BAD_REQUEST, f"cursor is {given[:40]!r}; use that of the page before.")

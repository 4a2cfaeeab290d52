"""The look-ups as HTTP resources."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import Counter

from app.guard.problems import Problem
from app.store.lookup import Lookups
from app.web.requests import count_in, flag_in, item_id_in, user_id_in, user_ids_in
from headrace.answers import CatalogueEntry
from headrace.lists import TRENDING, RecommendationList

SAMPLE_DEFAULT = 8
HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def json_response(body: Any, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """The body as JSON, never cached: a list is out of date with the next event."""
    return json_bytes(orjson.dumps(body), status)


def json_bytes(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """The body, which is JSON already."""
    return web.Response(body=body, status=status, headers=HEADERS)


@dataclass(frozen=True, slots=True)
class LookupResources:
    """One handler a route."""

    lookups: Lookups
    answered: Counter

    def routes(self) -> list[web.RouteDef]:
        """The routes. An id may hold anything, a slash as %2F; hence patterns of their own.

        The ids `.` and `..` need the query, as browsers take such a path, encoded or not, for
        another one.
        """
        return [
            web.get("/recommendations/{user_id:[^/]+}", self.recommendations),
            web.get("/recommendations", self.lists),
            web.get("/similar/{item_id:[^/]+}", self.similar),
            web.get("/similar", self.similar),
            web.get("/items/{item_id:[^/]+}", self.item),
            web.get("/items", self.items),
            web.get("/users/{user_id:[^/]+}", self.user),
            web.get("/users", self.users),
        ]

    async def recommendations(self, request: web.Request) -> web.Response:
        """A user's list; the trending one for an unknown user."""
        found = await self.lookups.recommendations(user_id_in(request), count_in(request))
        self._count(found)
        return json_bytes(found.as_json())

    async def lists(self, request: web.Request) -> web.Response:
        """The lists of several users that the query names; that of one as above."""
        if len(request.query.getall("user_id", ())) < 2:
            return await self.recommendations(request)
        found = await self.lookups.recommendations_of(user_ids_in(request), count_in(request))
        for each in found:
            self._count(each)
        return json_bytes(b'{"lists":[' + b",".join(each.as_json() for each in found) + b"]}")

    def _count(self, found: RecommendationList) -> None:
        self.answered.labels("trending" if found.stored.model == TRENDING else "own").inc()

    async def similar(self, request: web.Request) -> web.Response:
        """An item's neighbours."""
        item_id = item_id_in(request)
        items = await self.lookups.similar(item_id, count_in(request))
        if not items:
            raise Problem(HTTPStatus.NOT_FOUND, "Nothing similar to this item is known.")
        return json_response({"item_id": item_id, "items": items})

    async def item(self, request: web.Request) -> web.Response:
        """What the catalogue says of an item."""
        entry = await self.lookups.item(item_id_in(request))
        if entry is None:
            raise Problem(HTTPStatus.NOT_FOUND, "The catalogue does not have this item.")
        return json_response(entry_as_json(entry))

    async def items(self, request: web.Request) -> web.Response:
        """The hidden items, or those that the shop allows, as the query asks; else one entry."""
        if flag_in(request, "hidden"):
            hidden = await self.lookups.hidden(count_in(request))
            return json_response({"items": list(map(entry_as_json, hidden.entries)), "total": hidden.total})
        if flag_in(request, "allowed"):
            allowed = await self.lookups.allowed()
            items = [entry_as_json(each.entry) | {"allowed_at": each.allowed_at} for each in allowed]
            return json_response({"items": items, "total": len(items)})
        return await self.item(request)

    async def user(self, request: web.Request) -> web.Response:
        """What a user did lately."""
        history = await self.lookups.profile(user_id_in(request))
        if history is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Nothing is known of this user yet.")
        recent = [_present(asdict(row)) for row in history.recent]
        return json_response({"user_id": history.user_id, "recent": recent, "counts": history.counts})

    async def users(self, request: web.Request) -> web.Response:
        """The users whose lists were written last; or what one user did, where the query names
        one.
        """
        if "user_id" in request.query:
            return await self.user(request)
        found = await self.lookups.recent_users(count_in(request, "sample", SAMPLE_DEFAULT))
        return json_response({"users": [asdict(user) for user in found]})


def entry_as_json(entry: CatalogueEntry) -> dict[str, Any]:
    """The entry as look-ups and `headrace items` show it."""
    said = {name: value for name, value in asdict(entry).items() if name not in ("known", "deleted")}
    return _present(said)


def _present(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what the catalogue does not say."""
    return {name: value for name, value in row.items() if value is not None}

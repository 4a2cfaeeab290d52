"""The look-ups as HTTP resources."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import Counter

from app.guard.problems import Problem
from app.store.lookup import Lookups
from app.web.list_parameters import PAGE, RULES, K
from app.web.requests import K_DEFAULT, count_in, flag_in, item_id_in, options_in, user_id_in, user_ids_in
from app.web.route import Route, count, flag, in_json, in_path, in_query
from app.web.schemas import ID, USER_ID, either
from headrace.answers import CatalogueEntry
from headrace.lists import TRENDING, RecommendationList
from headrace.questions import USERS_MAX
from headrace.rules import NO_RULES, Rules

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
    rules: Rules = NO_RULES

    def routes(self) -> list[Route]:
        """The routes.

        The ids `.` and `..` need the query, as browsers take such a path, encoded or not, for
        another one.
        """
        return [*self._of_lists(), *self._of_items(), *self._of_users()]

    def _of_lists(self) -> Iterator[Route]:
        several = {"type": "array", "items": USER_ID, "minItems": 1, "maxItems": USERS_MAX}
        users = in_query("user_id", several, required=True)
        k = (*K, *RULES)
        lists = in_json(either("List", "Lists"), "the user's list; of several users, their lists in the query's order")
        one, found = in_json("List", "the list"), in_json("Similar", "the items")
        user, item = in_path("user_id", USER_ID), in_path("item_id", ID)
        of_one, of_some, near = "A user's list", "The lists of one or several users", "Similar items"
        unknown = (HTTPStatus.NOT_FOUND,)
        yield Route("GET", "/recommendations/{user_id}", self.recommendations, of_one, one, (user, *k, PAGE))
        yield Route("GET", "/recommendations", self.lists, of_some, lists, (users, *k, PAGE))
        yield Route("GET", "/similar/{item_id}", self.similar, near, found, (item, *k), unknown)
        asked = in_query("item_id", ID, required=True)
        yield Route("GET", "/similar", self.similar, near, found, (asked, *k), unknown)

    def _of_items(self) -> Iterator[Route]:
        entry = in_json("Item", "the entry")
        several = in_json(either("Items", "Item"), "the items and how many there are, or the entry")
        hidden = flag("hidden", "items that a verdict on their text hides")
        allowed = flag("allowed", "items that the shop allows in spite of a verdict")
        chosen = (in_query("item_id", ID, "needed without hidden and allowed"), hidden, allowed, count("k", K_DEFAULT))
        of_one, of_some = "The catalogue's entry", "Items that are hidden or allowed; else the entry of item_id"
        unknown = (HTTPStatus.NOT_FOUND,)
        yield Route("GET", "/items/{item_id}", self.item, of_one, entry, (in_path("item_id", ID),), unknown)
        yield Route("GET", "/items", self.items, of_some, several, chosen, unknown)

    def _of_users(self) -> Iterator[Route]:
        past = in_json("User", "the events")
        several = in_json(either("Users", "User"), "the users, or the events")
        chosen = (in_query("user_id", USER_ID), count("sample", SAMPLE_DEFAULT))
        of_one, of_some = "What a user did lately", "The users whose lists were written last; with user_id that user"
        unknown = (HTTPStatus.NOT_FOUND,)
        yield Route("GET", "/users/{user_id}", self.user, of_one, past, (in_path("user_id", USER_ID),), unknown)
        yield Route("GET", "/users", self.users, of_some, several, chosen, unknown)

    async def recommendations(self, request: web.Request) -> web.Response:
        """A user's list; the trending one for an unknown user."""
        options = options_in(request, self.rules)
        found = await self.lookups.recommendations(user_id_in(request), count_in(request), options)
        self._count(found)
        return json_bytes(found.as_json())

    async def lists(self, request: web.Request) -> web.Response:
        """The lists of several users that the query names; that of one as above."""
        if len(request.query.getall("user_id", ())) < 2:
            return await self.recommendations(request)
        options = options_in(request, self.rules)
        found = await self.lookups.recommendations_of(user_ids_in(request), count_in(request), options)
        for each in found:
            self._count(each)
        return json_bytes(b'{"lists":[' + b",".join(each.as_json() for each in found) + b"]}")

    def _count(self, found: RecommendationList) -> None:
        self.answered.labels("trending" if found.stored.model == TRENDING else "own").inc()

    async def similar(self, request: web.Request) -> web.Response:
        """An item's neighbours."""
        item_id = item_id_in(request)
        items = await self.lookups.similar(item_id, count_in(request), options_in(request, self.rules))
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

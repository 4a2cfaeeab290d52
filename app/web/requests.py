"""Reads what a request asks for. Raises a Problem that says what is wrong with it."""

import re
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from app.guard.problems import Problem
from headrace.options import EXPLAINED, PLAIN, ListOptions
from headrace.pages import BadPage, shown_before
from headrace.questions import K_MAX, USERS_MAX
from headrace.rules import NAMES, NO_RULES, BadRule, Rules, read_rules
from models.contract.events import GUEST_PREFIX
from models.contract.fields import MAX_ID_LENGTH

K_DEFAULT = 20
SECONDS = re.compile(r"[0-9]{1,13}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?")
LAST_SECOND = 1e12
_ASKED = frozenset({*NAMES, "page"})


def user_id_in(request: web.Request) -> str:
    """Return the user id in the path or the query.

    The id of a guest is `session:` and a session id.
    """
    return _id_in(request, "user_id")


def user_ids_in(request: web.Request) -> list[str]:
    """Return the user ids in the query, each once and in its order; empty if there are none.

    Raises Problem for more than USERS_MAX.
    """
    given = list(dict.fromkeys(request.query.getall("user_id", ())))
    if len(given) > USERS_MAX:
        raise Problem(HTTPStatus.BAD_REQUEST, f"user_id is there {len(given)} times; at most {USERS_MAX}.")
    return [checked_id("user_id", each) for each in given]


def item_id_in(request: web.Request) -> str:
    """Return the item id in the path or the query."""
    return _id_in(request, "item_id")


def checked_id(name: str, value: Any) -> str:
    """Return `value` if it is a string of 1 to 128 characters. Raises Problem.

    The prefix of a guest does not count.
    """
    if not isinstance(value, str):
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name} is missing; it is a string.")
    counted = value.removeprefix(GUEST_PREFIX) if name == "user_id" else value
    if not 1 <= len(counted) <= MAX_ID_LENGTH:
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name} has {len(counted)} characters; use 1 to {MAX_ID_LENGTH}.")
    return value


def _id_in(request: web.Request, name: str) -> str:
    return checked_id(name, request.match_info.get(name, request.query.get(name)))


def count_in(request: web.Request, name: str = "k", default: int = K_DEFAULT) -> int:
    """Return a count between 1 and K_MAX from the query. Raises Problem."""
    given = request.query.get(name)
    if given is None:
        return default
    # Accept at most 4 digits: int() would also accept "+5", "1_0" and a megabyte of nines.
    if given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= K_MAX:
        return int(given)
    raise Problem(HTTPStatus.BAD_REQUEST, f"{name} is {given[:40]!r}; use an integer from 1 to {K_MAX}.")


def flag_in(request: web.Request, name: str) -> bool:
    """Return whether the query says `name=true`. Raises Problem for anything but true and false."""
    given = request.query.get(name, "false")
    if given in ("true", "false"):
        return given == "true"
    raise Problem(HTTPStatus.BAD_REQUEST, f"{name} is {given[:40]!r}; use true or false.")


def options_in(request: web.Request, shop: Rules) -> ListOptions:
    """Return how the query wants a list, with the rules of the shop before its own.

    Raises Problem.
    """
    explain = flag_in(request, "explain")
    asked = request.query.keys() & _ASKED
    if not asked and shop is NO_RULES:
        return EXPLAINED if explain else PLAIN
    page = request.query.get("page")
    try:
        if page is not None:
            shown_before(page)
        rules = read_rules({name: request.query.getall(name) for name in asked if name != "page"})
    except (BadRule, BadPage) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"{error}.") from None
    return ListOptions.of(shop, rules, explain=explain, page=page)


def seconds_in(request: web.Request, name: str, default: float) -> float:
    """Return a time in seconds since 1970 from the query. Raises Problem."""
    given = request.query.get(name)
    if given is None:
        return default
    if SECONDS.fullmatch(given) and float(given) <= LAST_SECOND:
        return float(given)
    raise Problem(HTTPStatus.BAD_REQUEST, f"{name} is {given[:40]!r}; use seconds since 1970, such as 1760000000.")


async def json_object_in(request: web.Request) -> dict[str, Any]:
    """Return the body as a JSON object. Raises Problem."""
    # Browsers do not let another site's page send this content type without permission, so such a
    # page cannot click for its visitors.
    if request.content_type != "application/json":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json.")
    try:
        body = orjson.loads(await request.read())
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    return body

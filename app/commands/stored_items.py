"""The verbs of `headrace items` that read and change what Redis has of items."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import orjson

from app.errors import HeadraceError
from app.settings import Settings
from app.store.connection import connect
from app.store.decisions import allow_item, undo_allow
from app.store.keys import Keys
from app.store.lookup import Lookups
from app.store.packed import PackedRedis
from app.store.store import STORE_ERRORS
from app.web.lookups import entry_as_json
from headrace.refusals import translate

SHOWN = 20
T = TypeVar("T")

DETAILS = """
Reads Redis; workers with models list there which items they hide. An ITEM is an id, or the whole title of a hidden or
allowed item. A decision to allow an item is about the item, not about one text of it. It stays until it is undone,
also when workers restart. Look-ups follow it at once, and workers within seconds.

exit status:
  0  done
  1  Redis does not answer, or there is no such item
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace items hidden                       the newest hidden items, with what was found in them
  headrace items show 'Cash box, metal'       one item as it is stored
  headrace items allow B00I9GDWIS             recommend it in spite of the verdict
  headrace items allow B00I9GDWIS --undo      let the verdict decide again
  headrace items hidden --allowed --json      what was allowed, and when
"""


def configure(what: Any) -> None:
    """Declare the verbs with their arguments."""
    hidden = _verb(what, "hidden", "list the items that a verdict on their text hides")
    hidden.add_argument("--count", metavar="N", type=_count, default=SHOWN, help=f"how many (default {SHOWN})")
    hidden.add_argument("--allowed", action="store_true", help="list the items that you allowed instead")
    show = _verb(what, "show", "show an item as it is stored, with verdict and repairs")
    allow = _verb(what, "allow", "recommend an item in spite of the verdict on its text")
    allow.add_argument("--undo", action="store_true", help="let the verdict decide again")
    for verb in (show, allow):
        verb.add_argument("item", metavar="ITEM", help="the item's id, or its title")


def _verb(what: Any, name: str, summary: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = what.add_parser(
        name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb.description = f"{summary}\n{DETAILS}"
    verb.epilog = EXAMPLES
    verb.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return verb


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Carry out one verb. The exit status is 0 when that was possible."""
    told, lines = asyncio.run(_told(args, settings))
    text = [orjson.dumps(told).decode()] if args.json else lines(told)
    sys.stdout.write("".join(f"{line}\n" for line in text))
    return 0


async def _told(args: argparse.Namespace, settings: Settings) -> tuple[dict[str, Any], Callable[..., Iterator[str]]]:
    async with connect(settings.redis) as redis:
        keys = Keys(settings.redis.prefix)
        lookups = Lookups.connect(settings.redis, 0.0)
        try:
            if args.what == "hidden":
                found = await (_allowed(lookups) if args.allowed else _hidden(lookups, args.count))
                return found, _allowed_lines if args.allowed else _hidden_lines
            entry = await _find(lookups, args.item)
            if args.what == "show":
                return entry, _entry_lines
            return await _decide(args, settings, redis, keys, entry), _decision_lines
        finally:
            await lookups.close()


async def _hidden(lookups: Lookups, count: int) -> dict[str, Any]:
    found = await lookups.hidden(count)
    return {"items": list(map(entry_as_json, found.entries)), "total": found.total}


async def _allowed(lookups: Lookups) -> dict[str, Any]:
    items = [entry_as_json(each.entry) | {"allowed_at": each.allowed_at} for each in await lookups.allowed()]
    return {"items": items, "total": len(items)}


async def _find(lookups: Lookups, text: str) -> dict[str, Any]:
    """Return the item with this id, else the one with this title. Raises HeadraceError."""
    entry = await lookups.item(text)
    allowed: dict[str, dict[str, Any]] = {each["item_id"]: each for each in (await _allowed(lookups))["items"]}
    if entry is not None:
        return allowed.get(text) or entry_as_json(entry)
    listed: dict[str, dict[str, Any]] = {
        each["item_id"]: each for each in (await _hidden(lookups, 1 << 30))["items"]
    } | allowed
    named = [each for each in listed.values() if each.get("title", "").casefold() == text.casefold()]
    if len(named) > 1:
        ids = ", ".join(each["item_id"] for each in named[:10])
        raise HeadraceError(f"{len(named)} items have this title: name one by its id: {ids}")
    if not named:
        raise HeadraceError(f"no item has the id {text!r}, and no hidden one this title; `headrace items hidden` lists")
    return named[0]


async def _decide(
    args: argparse.Namespace, settings: Settings, redis: PackedRedis, keys: Keys, entry: dict[str, Any]
) -> dict[str, Any]:
    item_id = entry["item_id"]
    if args.undo:
        changed = await _stored(lambda: undo_allow(redis, keys, item_id, settings.quality))
    else:
        changed = "allowed_at" not in entry
        if changed:
            await _stored(lambda: allow_item(redis, keys, item_id, time.time()))
    return {"item_id": item_id, "title": entry.get("title"), "allowed": not args.undo, "changed": changed}


async def _stored(call: Callable[[], Awaitable[T]]) -> T:
    try:
        return await call()
    except STORE_ERRORS as error:
        raise translate(error) from error


def _hidden_lines(told: dict[str, Any]) -> Iterator[str]:
    for each in told["items"]:
        yield f"{_named(each)}: {_verdict(each)}"
    yield f"{len(told['items']):,} of {told['total']:,} hidden items shown"


def _allowed_lines(told: dict[str, Any]) -> Iterator[str]:
    for each in told["items"]:
        yield f"{_named(each)}: {_verdict(each)}"
    yield f"{told['total']:,} {'item' if told['total'] == 1 else 'items'} allowed"


def _entry_lines(told: dict[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        if name == "repairs":
            for each in value:
                yield f"repaired       {each['field']} by {each['rule']}: {each['before']!r} became {each['after']!r}"
        else:
            yield f"{name:14} {', '.join(value) or 'none' if isinstance(value, list | tuple) else value}"


def _decision_lines(told: dict[str, Any]) -> Iterator[str]:
    became = "allowed: no verdict hides it" if told["allowed"] else "no longer allowed: the verdict decides"
    yield f"{_named(told)}: {became}{'' if told['changed'] else ', as before'}"


def _named(entry: dict[str, Any]) -> str:
    return f"{entry['item_id']}  {entry.get('title') or '(no title)'}"


def _verdict(entry: dict[str, Any]) -> str:
    quality = entry.get("quality")
    reasons = ", ".join(entry.get("reasons") or ()) or "no defect named"
    return reasons if quality is None else f"{reasons}, quality {quality:.2f}"


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= 10_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a number from 1 to 10,000")

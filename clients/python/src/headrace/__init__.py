"""Headrace for shop back ends: a user's list straight from Redis, without a process in between.

from headrace import Headrace

with Headrace("redis://localhost:6379/0") as headrace:
    for item in headrace.recommendations("ada", k=20):
        print(item.item_id, item.title, item.score, item.source)
"""

from importlib import import_module
from typing import TYPE_CHECKING

# Redis is imported with the first client, not with a name of this package.
if TYPE_CHECKING:
    from headrace.aio import AsyncHeadrace
    from headrace.answers import CatalogueEntry
    from headrace.client import Headrace
    from headrace.errors import HeadraceError, StoreAway, UnreadableAnswer, UnusableSetting
    from headrace.lists import ListedItem, Page, Reason
    from headrace.pages import BadPage
    from headrace.rules import BadRule, Boost, Pin, Rules

__all__ = [
    "AsyncHeadrace",
    "BadPage",
    "BadRule",
    "Boost",
    "CatalogueEntry",
    "Headrace",
    "HeadraceError",
    "ListedItem",
    "Page",
    "Pin",
    "Reason",
    "Rules",
    "StoreAway",
    "UnreadableAnswer",
    "UnusableSetting",
]

_HOMES = {
    "AsyncHeadrace": "aio",
    "BadPage": "pages",
    "BadRule": "rules",
    "Boost": "rules",
    "CatalogueEntry": "answers",
    "Headrace": "client",
    "ListedItem": "lists",
    "Page": "lists",
    "Pin": "rules",
    "Reason": "lists",
    "Rules": "rules",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"headrace.{_HOMES.get(name, 'errors')}"), name)

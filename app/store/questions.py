"""The look-ups as conversations: each yields Redis commands a round trip at a time, and ends with its answer.

They never touch Redis themselves: the look-up process (async) and the shop's client (sync) run the same code.
No command names more than one key, so that every question works on a Redis Cluster.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from app.store import answers, item_fields
from app.store.answers import (
    CatalogueEntry,
    ListedItem,
    LiveFigures,
    RecentUser,
    RecommendationList,
    UserHistory,
)
from app.store.keys import Keys

Command = tuple[str | int, ...]
T = TypeVar("T")
Question = Generator[list[Command], list[Any], T]

TRENDING_SPARE = 2  # times k: popular items that are sold out or deleted must leave enough others
VECTOR_SPARE = 5  # the item itself, and some that just went away
RECOMMENDED = ".recommended == 1"
# Without an answer when the item has no vector, or Redis no vector sets.
MAY_FAIL = frozenset({"VSIM"})
WORKERS_SHOWN = 100
K_MAX = 100


def checked(commands: Sequence[Command], replies: Sequence[Any]) -> list[Any]:
    """The replies, None for a command that may fail and did. Raises the error of any other."""
    for command, reply in zip(commands, replies, strict=True):
        if isinstance(reply, Exception) and command[0] not in MAY_FAIL:
            raise reply
    return [None if isinstance(reply, Exception) else reply for reply in replies]


def ask_recommendations(keys: Keys, user_id: str, k: int) -> Question[RecommendationList]:
    """The user's list, at most k items; the trending list for a user without one that may be shown.

    A list that lost an item is not topped up: only the worker knows what this user just saw or bought.
    Raises ValueError for a k outside 1..K_MAX.
    """
    _check(k)
    flag, raw, ranked = yield [
        ("GET", keys.known_only()),
        ("GET", keys.recommendation(user_id)),
        ("ZREVRANGE", keys.trending(), 0, TRENDING_SPARE * k - 1, "WITHSCORES"),
    ]
    known_only = answers.decode_flag(flag)
    if raw is not None:
        own = yield from _shown(keys, answers.decode_list(raw), k, known_only=known_only)
        if own.items:
            return own
    trending = answers.trending_list(user_id, answers.decode_ranked(ranked))
    return (yield from _shown(keys, trending, k, known_only=known_only))


def ask_similar(keys: Keys, item_id: str, k: int) -> Question[tuple[ListedItem, ...]]:
    """The item's neighbours, at most k, nearest first; out of the vectors where no list of them is written.

    Raises ValueError as above.
    """
    _check(k)
    flag, raw = yield [("GET", keys.known_only()), ("GET", keys.similar(item_id))]
    items = answers.decode_similar(raw)
    if not items:
        (near,) = yield [
            ("VSIM", keys.vectors(), "ELE", item_id, "WITHSCORES", "COUNT", VECTOR_SPARE + k, "FILTER", RECOMMENDED)
        ]
        items = answers.decode_near(item_id, near)
    catalogue = yield from _catalogue(keys, (item.item_id for item in items))
    return answers.shown_items(items, catalogue, k, known_only=answers.decode_flag(flag))


def ask_item(keys: Keys, item_id: str) -> Question[CatalogueEntry | None]:
    """The catalogue entry, or None for an item that is unknown or was deleted."""
    entry = (yield from _catalogue(keys, [item_id]))[item_id]
    return entry if entry.known and not entry.deleted else None


def ask_history(keys: Keys, user_id: str) -> Question[UserHistory | None]:
    """What the user did lately, with titles (also of items that are gone); None for an unknown user."""
    flag, (recent, counts) = yield [("GET", keys.known_only()), ("HMGET", keys.profile(user_id), "recent", "counts")]
    history = answers.decode_history(user_id, recent, counts)
    if history is None:
        return None
    catalogue = yield from _catalogue(keys, (row.item_id for row in history.recent))
    return answers.joined_history(history, catalogue, known_only=answers.decode_flag(flag))


def ask_recent_users(keys: Keys, count: int) -> Question[tuple[RecentUser, ...]]:
    """The users whose lists were written last, newest first."""
    (ranked,) = yield [("ZREVRANGE", keys.recent_users(), 0, count - 1, "WITHSCORES")]
    return tuple(RecentUser(user_id, generated_at) for user_id, generated_at in answers.decode_ranked(ranked))


def ask_live(keys: Keys) -> Question[LiveFigures]:
    """The live figures of every worker that is still writing them."""
    (names,) = yield [("ZREVRANGE", keys.workers(), 0, WORKERS_SHOWN - 1)]
    if not names:
        return answers.sum_figures([])
    found = yield [("GET", keys.worker(name.decode())) for name in names]
    return answers.sum_figures([answers.decode_worker(raw) for raw in found if raw is not None])


def _check(k: int) -> None:
    if not 1 <= k <= K_MAX:
        raise ValueError(f"k is {k}; use 1 to {K_MAX}")


def _shown(keys: Keys, found: RecommendationList, k: int, *, known_only: bool) -> Question[RecommendationList]:
    catalogue = yield from _catalogue(keys, (item.item_id for item in found.items))
    return replace(found, items=answers.shown_items(found.items, catalogue, k, known_only=known_only))


def _catalogue(keys: Keys, item_ids: Iterable[str]) -> Question[dict[str, CatalogueEntry]]:
    """The entries of all the items, in one round trip (none for no items)."""
    wanted = list(dict.fromkeys(item_ids))
    if not wanted:
        return {}
    found = yield [("HMGET", keys.item(item_id), *item_fields.ENTRY_FIELDS) for item_id in wanted]
    return {item_id: answers.decode_item(item_id, values) for item_id, values in zip(wanted, found, strict=True)}

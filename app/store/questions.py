"""The questions of the console page, beside those of shops in `headrace.questions`."""

from collections.abc import Sequence

from app.store import answers
from app.store.answers import AllowedEntry, HiddenEntries, LiveFigures, RecentUser
from headrace import item_fields, lists
from headrace.answers import CatalogueEntry, decode_item
from headrace.conversations import Question
from headrace.keys import Keys

WORKERS_SHOWN = 100


def ask_recent_users(keys: Keys, count: int) -> Question[tuple[RecentUser, ...]]:
    """The users whose lists were written last, newest first."""
    (ranked,) = yield [("ZREVRANGE", keys.recent_users(), 0, count - 1, "WITHSCORES")]
    return tuple(RecentUser(user_id, generated_at) for user_id, generated_at in lists.decode_ranked(ranked))


def ask_hidden(keys: Keys, count: int) -> Question[HiddenEntries]:
    """The items that a verdict on their text hides, the newest first, and how many there are."""
    [names] = yield [("ZREVRANGE", keys.hidden(), 0, -1)]
    entries = yield from _entries(keys, [name.decode() for name in names[:count]])
    return HiddenEntries(entries, len(names))


def ask_allowed(keys: Keys) -> Question[list[AllowedEntry]]:
    """The items that the shop allows in spite of a verdict, the last decision first."""
    [found] = yield [("HGETALL", keys.allowed())]
    times = answers.decode_times(found)
    entries = yield from _entries(keys, sorted(times, key=lambda each: -times[each]))
    return [AllowedEntry(each, times[each.item_id]) for each in entries]


def ask_live(keys: Keys) -> Question[LiveFigures]:
    """The live figures of every worker that is still writing them."""
    (names,) = yield [("ZREVRANGE", keys.workers(), 0, WORKERS_SHOWN - 1)]
    if not names:
        return answers.sum_figures([])
    found = yield [("GET", keys.worker(name.decode())) for name in names]
    return answers.sum_figures([answers.decode_worker(raw) for raw in found if raw is not None])


def _entries(keys: Keys, item_ids: Sequence[str]) -> Question[list[CatalogueEntry]]:
    if not item_ids:
        return []
    rows = yield [("HMGET", keys.item(item_id), *item_fields.ENTRY_FIELDS) for item_id in item_ids]
    return [decode_item(item_id, values) for item_id, values in zip(item_ids, rows, strict=True)]

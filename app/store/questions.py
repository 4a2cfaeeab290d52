"""The look-ups as conversations: each yields Redis commands a round trip at a time, and ends with
its answer.

They never touch Redis themselves: the look-up process (async) and the shop's client (sync) run the
same code. No command names more than one key, so that every question works on a Redis Cluster.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from app.store import answers, item_fields, lists
from app.store.answers import AllowedEntry, CatalogueEntry, HiddenEntries, LiveFigures, RecentUser, UserHistory
from app.store.keys import Keys
from app.store.lists import Entry, KnownItem, RecommendationList, Row, StoredList
from app.store.recall import Ranked, Recall

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
USERS_MAX = 100


def checked(commands: Sequence[Command], replies: Sequence[Any]) -> list[Any]:
    """The replies, None for a command that may fail and did. Raises the error of any other."""
    for command, reply in zip(commands, replies, strict=True):
        if isinstance(reply, Exception) and command[0] not in MAY_FAIL:
            raise reply
    return [None if isinstance(reply, Exception) else reply for reply in replies]


def together(questions: Iterable[Question[T]]) -> Question[list[T]]:
    """The answers to several questions, in their order, in as many round trips as the longest one
    takes.

    A command that several of them ask for is asked once: what they read is the same for all.
    """
    asking = list(questions)
    waiting: dict[int, list[Command]] = {}
    answers: dict[int, T] = {}
    heard: dict[int, list[Any] | None] = dict.fromkeys(range(len(asking)))
    while heard:
        for number, replies in heard.items():
            try:
                waiting[number] = next(asking[number]) if replies is None else asking[number].send(replies)
            except StopIteration as done:
                answers[number] = done.value
        commands = list(dict.fromkeys(each for asked in waiting.values() for each in asked))
        if not commands:
            break
        found = dict(zip(commands, (yield commands), strict=True))
        heard = {number: [found[each] for each in asked] for number, asked in waiting.items()}
        waiting = {}
    return [answers[number] for number in range(len(asking))]


def ask_recommendations(keys: Keys, recall: Recall, user_id: str, k: int) -> Question[RecommendationList]:
    """The user's list, at most k items; the trending list for a user without one that may be shown.

    One round trip if all its items are remembered, else two. A list that lost an item is not topped
    up: only the worker knows what this user just bought. The trending list in place of an empty one
    leaves out the user's recent items. Raises ValueError for a k outside 1..K_MAX.
    """
    _check(k)
    flag, raw = yield [("GET", keys.known_only()), ("GET", keys.recommendation(user_id))]
    known_only = answers.decode_flag(flag)
    if raw is not None:
        stored = lists.decode_list(raw)
        if rows := (yield from _shown(keys, recall, stored.entries, k, known_only=known_only)):
            return RecommendationList(stored, rows)
    ranked = yield from _trending(keys, recall)
    seen = set() if raw is None else (yield from _seen(keys, user_id))
    unseen = [each for each in ranked if each[0] not in seen]
    popular: StoredList = lists.trending_list(user_id, unseen[: TRENDING_SPARE * k])
    return RecommendationList(popular, (yield from _shown(keys, recall, popular.entries, k, known_only=known_only)))


def ask_similar(keys: Keys, recall: Recall, item_id: str, k: int) -> Question[list[Row]]:
    """The item's neighbours, at most k, nearest first; out of the vectors where no list of them is
    written.

    Raises ValueError as above.
    """
    _check(k)
    flag, raw = yield [("GET", keys.known_only()), ("GET", keys.similar(item_id))]
    entries = lists.decode_similar(raw)
    if not entries:
        (near,) = yield [
            ("VSIM", keys.vectors(), "ELE", item_id, "WITHSCORES", "COUNT", VECTOR_SPARE + k, "FILTER", RECOMMENDED)
        ]
        entries = lists.decode_near(item_id, near)
    return (yield from _shown(keys, recall, entries, k, known_only=answers.decode_flag(flag)))


def ask_item(keys: Keys, item_id: str) -> Question[CatalogueEntry | None]:
    """The catalogue entry as it is now, or None when the item is unknown or was deleted."""
    (values,) = yield [("HMGET", keys.item(item_id), *item_fields.ENTRY_FIELDS)]
    entry = answers.decode_item(item_id, values)
    return entry if entry.known and not entry.deleted else None


def ask_history(keys: Keys, recall: Recall, user_id: str) -> Question[UserHistory | None]:
    """What the user did lately, with titles (also of items that are gone); None for an unknown
    user.
    """
    flag, (recent, counts) = yield [("GET", keys.known_only()), ("HMGET", keys.profile(user_id), "recent", "counts")]
    history = answers.decode_history(user_id, recent, counts)
    if history is None:
        return None
    known = yield from _known(keys, recall, [row.item_id for row in history.recent])
    return _joined(history, known, known_only=answers.decode_flag(flag))


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
    return [answers.decode_item(item_id, values) for item_id, values in zip(item_ids, rows, strict=True)]


def _check(k: int) -> None:
    if not 1 <= k <= K_MAX:
        raise ValueError(f"k is {k}; use 1 to {K_MAX}")


def _joined(history: UserHistory, known: Mapping[str, KnownItem], *, known_only: bool) -> UserHistory:
    """The history with what the catalogue says of each item."""
    pairs = ((row, known[row.item_id]) for row in history.recent)
    rows = (
        replace(
            row,
            title=item.fields.get("title"),
            category=item.fields.get("category"),
            unknown=known_only and not item.known,
        )
        for row, item in pairs
    )
    return replace(history, recent=tuple(rows))


def _shown(keys: Keys, recall: Recall, entries: Sequence[Entry], k: int, *, known_only: bool) -> Question[list[Row]]:
    known = yield from _known(keys, recall, [entry[0] for entry in entries])
    return lists.shown_rows(entries, known, k, known_only=known_only)


def _seen(keys: Keys, user_id: str) -> Question[set[str]]:
    """Return the items that the user looked at or bought lately."""
    ((recent,),) = yield [("HMGET", keys.profile(user_id), "recent")]
    history = answers.decode_history(user_id, recent, None)
    return set() if history is None else {row.item_id for row in history.recent}


def _known(keys: Keys, recall: Recall, item_ids: Sequence[str]) -> Question[dict[str, KnownItem]]:
    """All these items, in one round trip for those that are not remembered (none for none)."""
    known, missing = recall.items(item_ids)
    if missing:
        asked_at = recall.clock()
        found = yield [("HMGET", keys.item(item_id), *lists.KNOWN_FIELDS) for item_id in missing]
        read = {item_id: lists.decode_known(values) for item_id, values in zip(missing, found, strict=True)}
        recall.keep_items(read, asked_at)
        known |= read
    return known


def _trending(keys: Keys, recall: Recall) -> Question[Ranked]:
    """The most popular items, as many as any look-up needs."""
    remembered = recall.trending()
    if remembered is not None:
        return remembered
    asked_at = recall.clock()
    (reply,) = yield [("ZREVRANGE", keys.trending(), 0, TRENDING_SPARE * K_MAX - 1, "WITHSCORES")]
    ranked = lists.decode_ranked(reply)
    recall.keep_trending(ranked, asked_at)
    return ranked

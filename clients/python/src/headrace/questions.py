"""The look-ups as conversations: each yields Redis commands a round trip at a time, and ends with
its answer.

They never touch Redis themselves: the look-up process (async) and the shop's client (sync) run the
same code. No command names more than one key, so that every question works on a Redis Cluster.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from headrace import answers, item_fields, lists
from headrace.answers import CatalogueEntry, UserHistory
from headrace.errors import HeadraceError, UnreadableAnswer
from headrace.keys import Keys
from headrace.lists import Entry, KnownItem, RecommendationList, Row, StoredList
from headrace.recall import Ranked, Recall
from headrace.refusals import refuses, translate

Command = tuple[str | int, ...]
T = TypeVar("T")
Question = Generator[list[Command], list[Any], T]

TRENDING_SPARE = 2  # times k: popular items that are sold out or deleted must leave enough others
VECTOR_SPARE = 5  # the item itself, and some that just went away
RECOMMENDED = ".recommended == 1"
# Without an answer when the item has no vector, or Redis no vector sets.
MAY_FAIL = frozenset({"VSIM"})
K_MAX = 100
USERS_MAX = 100


def checked(commands: Sequence[Command], replies: Sequence[Any]) -> list[Any]:
    """The replies, None for a command that may fail and did.

    A refusal stays among them; any other error is raised, as it is about all of them.
    """
    pairs = list(zip(commands, replies, strict=True))
    for command, reply in pairs:
        if isinstance(reply, Exception) and command[0] not in MAY_FAIL and not refuses(reply):
            raise reply
    return [None if isinstance(reply, Exception) and command[0] in MAY_FAIL else reply for command, reply in pairs]


def alone(question: Question[T]) -> Question[T]:
    """The answer to a question that ends with the first refusal. Raises it."""
    try:
        commands = next(question)
        while True:
            replies = yield commands
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            commands = question.send(replies)
    except StopIteration as done:
        answer: T = done.value
        return answer


def together(questions: Iterable[Question[T]]) -> Question[list[T | HeadraceError]]:
    """The answers to several questions, in their order, in as many round trips as the longest one
    takes; an error in place of the answer that cannot be read.

    A command that several of them ask for is asked once: what they read is the same for all.
    """
    asking = list(questions)
    waiting: dict[int, list[Command]] = {}
    answered: dict[int, T | HeadraceError] = {}
    heard: dict[int, list[Any] | None] = dict.fromkeys(range(len(asking)))
    while heard:
        for number, replies in heard.items():
            refusal = next((each for each in replies or () if isinstance(each, Exception)), None)
            if refusal is not None:
                answered[number] = translate(refusal)
                continue
            try:
                waiting[number] = next(asking[number]) if replies is None else asking[number].send(replies)
            except StopIteration as done:
                answered[number] = done.value
            except UnreadableAnswer as unreadable:
                answered[number] = unreadable
        commands = list(dict.fromkeys(each for asked in waiting.values() for each in asked))
        if not commands:
            break
        found = dict(zip(commands, (yield commands), strict=True))
        heard = {number: [found[each] for each in asked] for number, asked in waiting.items()}
        waiting = {}
    return [answered[number] for number in range(len(asking))]


def ask_lists(keys: Keys, recall: Recall, user_ids: Sequence[str], k: int) -> Question[list[RecommendationList]]:
    """The lists of these users, in their order, in the round trips of one.

    A list that cannot be read is empty, and its model is `unreadable`: the others are answered.
    """
    found = yield from together(ask_recommendations(keys, recall, each, k) for each in user_ids)
    return [
        lists.unreadable_list(user_id) if isinstance(each, HeadraceError) else each
        for user_id, each in zip(user_ids, found, strict=True)
    ]


def ask_recommendations(keys: Keys, recall: Recall, user_id: str, k: int) -> Question[RecommendationList]:
    """The user's list, at most k items; the trending list for a user without one that may be shown.

    One round trip if all its items are remembered, else two. A list that lost an item is not topped
    up: only the worker knows what this user just bought. The trending list in place of an empty one
    leaves out the user's recent items. Raises ValueError for a k outside 1..K_MAX and an empty id,
    TypeError for an id that is no text.
    """
    _check_id("user_id", user_id)
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

    Raises ValueError and TypeError as above.
    """
    _check_id("item_id", item_id)
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
    """The catalogue entry as it is now, or None when the item is unknown or was deleted.

    Raises ValueError and TypeError for an id, as above.
    """
    _check_id("item_id", item_id)
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


def _check(k: int) -> None:
    if not 1 <= k <= K_MAX:
        raise ValueError(f"k is {k}; use 1 to {K_MAX}")


def _check_id(name: str, value: object) -> None:
    """Raise for what no shop's id can be: it would be answered as one that is unknown."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, which is no text; ids are texts, such as 'ada' or '661'")
    if not value:
        raise ValueError(f"{name} is empty; give an id, and for a guest session: and the session's id")


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

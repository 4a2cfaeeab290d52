"""The look-ups as conversations; see `headrace.conversations`.

No command names more than one key, so that every question works on a Redis Cluster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headrace import answers, item_fields, lists
from headrace.answers import CatalogueEntry, UserHistory
from headrace.conversations import Question, together
from headrace.errors import HeadraceError
from headrace.explaining import explain_rows, explain_similar
from headrace.keys import Keys
from headrace.lists import Entry, KnownItem, RecommendationList, Row, StoredList
from headrace.options import PLAIN, ListOptions
from headrace.recall import Recall
from headrace.ruled import ask_ruled, ruled_rows
from headrace.shared_reads import ask_known, ask_seen, ask_trending

TRENDING_SPARE = 2  # times k: popular items that are sold out or deleted must leave enough others
VECTOR_SPARE = 5  # the item itself, and some that just went away
RECOMMENDED = ".recommended == 1"
K_MAX = 100
USERS_MAX = 100


def ask_lists(
    keys: Keys, recall: Recall, user_ids: Sequence[str], k: int, options: ListOptions = PLAIN
) -> Question[list[RecommendationList]]:
    """The lists of these users, in their order, in the round trips of one.

    A list that cannot be read is empty, and its model is `unreadable`: the others are answered.
    """
    found = yield from together(ask_recommendations(keys, recall, each, k, options) for each in user_ids)
    return [
        lists.unreadable_list(user_id) if isinstance(each, HeadraceError) else each
        for user_id, each in zip(user_ids, found, strict=True)
    ]


def ask_recommendations(
    keys: Keys, recall: Recall, user_id: str, k: int, options: ListOptions = PLAIN
) -> Question[RecommendationList]:
    """The user's list, at most k items; the trending list for a user without one that may be shown.

    One round trip if all its items are remembered, else two; the options may ask for more. A list
    that lost an item is not topped up without rules: only the worker knows what this user just
    bought. The trending list in place of an empty one leaves out the user's recent items.

    Raises ValueError for a k outside 1..K_MAX and an empty id, TypeError for an id that is no text.
    """
    _check_id("user_id", user_id)
    _check(k)
    if not options.is_plain:
        return (yield from ask_ruled(keys, recall, user_id, k, options))
    flag, raw = yield [("GET", keys.known_only()), ("GET", keys.recommendation(user_id))]
    known_only = answers.decode_flag(flag)
    if raw is not None:
        stored = lists.decode_list(raw)
        if rows := (yield from _shown(keys, recall, stored.entries, k, known_only=known_only)):
            if options.explain:
                yield from explain_rows(keys, recall, stored, rows)
            return RecommendationList(stored, rows)
    ranked = yield from ask_trending(keys, recall)
    seen = set() if raw is None else (yield from ask_seen(keys, user_id))
    unseen = [each for each in ranked if each[0] not in seen]
    popular: StoredList = lists.trending_list(user_id, unseen[: TRENDING_SPARE * k])
    rows = yield from _shown(keys, recall, popular.entries, k, known_only=known_only)
    if options.explain:
        yield from explain_rows(keys, recall, popular, rows)
    return RecommendationList(popular, rows)


def ask_similar(keys: Keys, recall: Recall, item_id: str, k: int, options: ListOptions = PLAIN) -> Question[list[Row]]:
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
    known_only = answers.decode_flag(flag)
    if options.rules:
        rows = yield from ruled_rows(keys, recall, entries, k, options.rules, known_only=known_only)
    else:
        rows = yield from _shown(keys, recall, entries, k, known_only=known_only)
    if options.explain:
        yield from explain_similar(keys, recall, item_id, raw, rows)
    return rows


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
    known = yield from ask_known(keys, recall, [row.item_id for row in history.recent])
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
    known = yield from ask_known(keys, recall, [entry[0] for entry in entries])
    return lists.shown_rows(entries, known, k, known_only=known_only)

"""What several look-ups read: the items of lists and the trending list, remembered for a moment."""

from collections.abc import Sequence

from headrace import answers, lists
from headrace.conversations import Question
from headrace.keys import Keys
from headrace.lists import KnownItem
from headrace.recall import Ranked, Recall

MOST_TRENDING = 200  # as many as any look-up needs


def ask_known(keys: Keys, recall: Recall, item_ids: Sequence[str]) -> Question[dict[str, KnownItem]]:
    """All these items, in one round trip for those that are not remembered (none for none)."""
    known, missing = recall.items(item_ids)
    if missing:
        asked_at = recall.clock()
        found = yield [("HMGET", keys.item(item_id), *lists.KNOWN_FIELDS) for item_id in missing]
        read = {item_id: lists.decode_known(values) for item_id, values in zip(missing, found, strict=True)}
        recall.keep_items(read, asked_at)
        known |= read
    return known


def ask_trending(keys: Keys, recall: Recall) -> Question[Ranked]:
    """The most popular items, as many as any look-up needs."""
    remembered = recall.trending()
    if remembered is not None:
        return remembered
    asked_at = recall.clock()
    (reply,) = yield [("ZREVRANGE", keys.trending(), 0, MOST_TRENDING - 1, "WITHSCORES")]
    ranked = lists.decode_ranked(reply)
    recall.keep_trending(ranked, asked_at)
    return ranked


def ask_seen(keys: Keys, user_id: str) -> Question[set[str]]:
    """Return the items that the user looked at or bought lately."""
    ((recent,),) = yield [("HMGET", keys.profile(user_id), "recent")]
    history = answers.decode_history(user_id, recent, None)
    return set() if history is None else {row.item_id for row in history.recent}


def ask_trending_of(keys: Keys, categories: Sequence[str]) -> Question[Ranked]:
    """The most popular items of these categories, one category after the other."""
    found = yield [("ZREVRANGE", keys.trending(each), 0, MOST_TRENDING - 1, "WITHSCORES") for each in categories]
    ranked = [each for reply in found for each in lists.decode_ranked(reply)]
    return tuple(sorted(ranked, key=lambda each: -each[1]))

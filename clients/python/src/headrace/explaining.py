"""Reads what the reasons of a list rest on, and puts them into its rows."""

from collections.abc import Sequence

from headrace import answers
from headrace.conversations import Question
from headrace.keys import Keys
from headrace.lists import Row, StoredList
from headrace.reasons import LAST_ITEMS, Grounds, Link, as_row, decode_links, reason_of
from headrace.recall import Recall
from headrace.shared_reads import ask_known


def explain_rows(keys: Keys, recall: Recall, stored: StoredList, rows: Sequence[Row]) -> Question[None]:
    """Give each row of a user's list its reason. Raises UnreadableAnswer.

    What the user did after the list was made is no reason for it.
    """
    recent: list[str] = []
    if stored.event_ts is not None:
        ((raw,),) = yield [("HMGET", keys.profile(stored.user_id), "recent")]
        history = answers.decode_history(stored.user_id, raw, None)
        past = () if history is None else history.recent
        recent = [each.item_id for each in past if each.ts <= stored.event_ts][:LAST_ITEMS]
    known = yield from ask_known(keys, recall, recent)
    links = (yield from _ask_links(keys, [*recent, *(row["item_id"] for row in rows)])) if recent else {}
    _explain(rows, Grounds(recent, links, known))


def explain_similar(
    keys: Keys, recall: Recall, item_id: str, stored: bytes | None, rows: Sequence[Row]
) -> Question[None]:
    """Give each item that is similar to this one its reason. Raises UnreadableAnswer.

    Without a stored list, the items are those with the nearest vectors.
    """
    known = yield from ask_known(keys, recall, [item_id])
    links = decode_links(stored) or {row["item_id"]: Link(row["source"], 0) for row in rows}
    _explain(rows, Grounds([item_id], {item_id: links}, known))


def _ask_links(keys: Keys, item_ids: Sequence[str]) -> Question[dict[str, dict[str, Link]]]:
    asked = list(dict.fromkeys(item_ids))
    found = yield [("GET", keys.similar(item_id)) for item_id in asked]
    return {item_id: decode_links(raw) for item_id, raw in zip(asked, found, strict=True)}


def _explain(rows: Sequence[Row], grounds: Grounds) -> None:
    for row in rows:
        row["reason"] = as_row(reason_of(row, grounds))

"""Look-ups of lists with rules, and of pages of lists."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from headrace import answers, lists
from headrace.arranging import Arranged, Arrangement, arrange
from headrace.conversations import Question
from headrace.explaining import explain_rows
from headrace.keys import Keys
from headrace.lists import CATEGORY, TRENDING, Entry, RecommendationList, Row
from headrace.options import ListOptions
from headrace.pages import next_mark, shown_before
from headrace.recall import Recall
from headrace.rules import Rules
from headrace.shared_reads import ask_known, ask_seen, ask_trending, ask_trending_of

# What is trending comes behind the user's own items: its best has half of their lowest score, as in
# the lists that workers write.
BEHIND = 0.5


def ask_ruled(keys: Keys, recall: Recall, user_id: str, k: int, options: ListOptions) -> Question[RecommendationList]:
    """The user's list as the options say, at most k items.

    Where the list has no more items for the page, what is trending follows, first in the categories
    that are asked for, without the user's recent items. Raises BadPage.
    """
    before = shown_before(options.page) if options.page is not None else []
    flag, raw = yield [("GET", keys.known_only()), ("GET", keys.recommendation(user_id))]
    stored = lists.trending_list(user_id, ()) if raw is None else lists.decode_list(raw)
    wanted = Arrangement(k, options.rules, answers.decode_flag(flag), before)
    needed = [*(entry[0] for entry in stored.entries), *(pin.item_id for pin in wanted.pins)]
    known = yield from ask_known(keys, recall, needed)
    found = arrange(stored.entries, (), known, wanted)
    if not found.has_more:
        spare = yield from _ask_spare(keys, recall, stored, options.rules, is_own=raw is not None)
        known = known | (yield from ask_known(keys, recall, [entry[0] for entry in spare]))
        found = arrange(stored.entries, spare, known, wanted)
    rows = [item.row() for item in found.items]
    if options.explain:
        yield from explain_rows(keys, recall, stored, rows)
        _tell_moves(found, rows)
    return RecommendationList(stored, rows, _extra(found, before, options))


def ruled_rows(
    keys: Keys, recall: Recall, entries: Sequence[Entry], k: int, rules: Iterable[Rules], *, known_only: bool
) -> Question[list[Row]]:
    """The first k of these entries as the rules say, which pin nothing here."""
    wanted = Arrangement(k, [replace(each, pins=()) for each in rules], known_only)
    known = yield from ask_known(keys, recall, [entry[0] for entry in entries])
    return [item.row() for item in arrange(entries, (), known, wanted).items]


def _ask_spare(
    keys: Keys, recall: Recall, stored: lists.StoredList, rules: Sequence[Rules], *, is_own: bool
) -> Question[list[Entry]]:
    seen = (yield from ask_seen(keys, stored.user_id)) if is_own else set()
    categories = dict.fromkeys(category for each in rules for category in each.categories)
    spare: list[Entry] = []
    lowest = min((entry[1] for entry in stored.entries), default=1 / BEHIND)
    groups = [(CATEGORY, (yield from ask_trending_of(keys, list(categories))))] if categories else []
    for source, ranked in (*groups, (TRENDING, (yield from ask_trending(keys, recall)))):
        best = max((score for _, score in ranked), default=0.0) or 1.0
        lowest *= BEHIND
        spare += [(item_id, lowest * score / best, source) for item_id, score in ranked if item_id not in seen]
    return spare


def _tell_moves(found: Arranged, rows: Sequence[Row]) -> None:
    for item, row in zip(found.items, rows, strict=True):
        if item.moved:
            row["reason"]["rules"] = item.moved


def _extra(found: Arranged, before: Sequence[bytes], options: ListOptions) -> Row:
    extra: Row = {}
    if options.page is not None:
        mark = next_mark(before, (item.item_id for item in found.items)) if found.has_more else None
        extra["next"] = mark
    if options.explain:
        extra["left_out"] = [{"item_id": item_id, "rule": rule} for item_id, rule in found.left_out.items()]
    return extra

"""The features of a candidate: each one's name, meaning, unit and source, in the order of columns.

`docs/features.md` is generated from here.
"""

from typing import NamedTuple


class Feature(NamedTuple):
    """One column of the features."""

    name: str
    meaning: str
    unit: str
    source: str


FEATURES = (
    Feature("votes", "the formula's score, against the best candidate's", "share", "neighbours"),
    Feature("votes_log", "the same, as a logarithm", "log", "neighbours"),
    Feature("votes_rank", "1 / (1 + rank by the formula), 0 for what neighbours did not find", "1", "neighbours"),
    Feature("forward_last", "how often it followed the last item within 10 places, 1 / distance", "share", "relations"),
    Feature("forward_last_log", "the same, as a logarithm", "log", "relations"),
    Feature("next_last", "how often it came right after the last item", "share", "relations"),
    Feature("next_last_log", "the same, as a logarithm", "log", "relations"),
    Feature("forward_before_log", "how often it followed the item before the last", "log", "relations"),
    Feature("forward_all", "how often it followed the session's items, the newest first", "share", "relations"),
    Feature("forward_all_log", "the same, as a logarithm", "log", "relations"),
    Feature("backward_all_log", "how often it came before the session's items", "log", "relations"),
    Feature("together_all", "cosine of occurring with the session's items", "cosine", "relations"),
    Feature("together_all_log", "the same, as a logarithm", "log", "relations"),
    Feature("events_log", "events of the item so far", "log", "relations"),
    Feature("hour_log", "events of the item, halved every hour", "log", "facts"),
    Feature("day_log", "events of the item, halved every day", "log", "facts"),
    Feature("week_log", "events of the item, halved every week", "log", "facts"),
    Feature("month_log", "events of the item, halved every 30 days", "log", "facts"),
    Feature("trend", "events of the week against those of the month", "log", "facts"),
    Feature("is_own", "the session had it", "0 or 1", "session"),
    Feature("own_place", "1 / (1 + items since the session last had it)", "1", "session"),
    Feature("own_near", "exp(-items since / 5)", "1", "session"),
    Feature("own_times", "times that the session had it", "log", "session"),
    Feature("is_last", "it is being looked at", "0 or 1", "session"),
    Feature("own_followed", "times that it followed the last item in this session", "log", "session"),
    Feature("own_share_of_repeats", "share of the session's events that are repeats, if the session had it", "share",
            "session"),
    Feature("own_repeat_rate", "the item's repeat rate, if the session had it", "share", "relations"),
    Feature("repeat_rate", "events of the item in sessions that had it already", "share", "relations"),
    Feature("session_length", "events of the session so far", "log", "session"),
    Feature("session_repeats", "share of the session's events that are repeats", "share", "session"),
    Feature("same_category", "it has the last item's category", "0 or 1", "catalogue"),
    Feature("category_share", "share of the session's items in its category", "share", "catalogue"),
    Feature("category_rank", "1 / (1 + popularity rank in the last item's category)", "1", "trending"),
    Feature("same_brand", "it has the last item's brand", "0 or 1", "catalogue"),
    Feature("brand_share", "share of the session's items of its brand", "share", "catalogue"),
    Feature("price_gap", "distance of its price from the last item's", "log", "catalogue"),
    Feature("price_level", "its price against the mean of the session's", "log", "catalogue"),
    Feature("popular_rank", "1 / (1 + popularity rank among all items)", "1", "trending"),
    Feature("weight", "what the item's quality weighs", "share", "catalogue"),
    Feature("brand_rank", "1 / (1 + popularity rank within the last item's brand)", "1", "trending"),
    Feature("beside", "1 / places between it and the last item, by price within category and brand", "1", "catalogue"),
    Feature("same_both", "it has the last item's category and brand", "0 or 1", "catalogue"),
)  # fmt: skip

COUNT = len(FEATURES)

"""The features of a candidate, declared once: name, meaning, unit and source.

The compiled code that fills them knows them by these names, and `docs/features.md` is made from
here by `make features-page`.
"""

from typing import NamedTuple

import numpy as np

from models.ranker.arrays import MOST

FINE = "ln(1 + 1000 x)"
COUNTED = "ln(1 + x)"
DECAYED = "ln(1 + 10 x)"


class Feature(NamedTuple):
    """One feature of a candidate. Where the unit begins with "ln(1", x is what `meaning` says."""

    name: str
    meaning: str
    unit: str
    source: str

    @property
    def is_log(self) -> bool:
        """Whether the logarithm is taken after all other work on the list."""
        return self.unit.startswith("ln(1")


FEATURES = (
    Feature("votes", "score by the formula, divided by that of the list's best", "share", "neighbours"),
    Feature("votes_log", "the same", FINE, "neighbours"),
    Feature("votes_rank", "1 / (1 + rank by the formula); 0 if neighbours did not find it", "1", "neighbours"),
    Feature("forward_last", "share of what followed the last item within 10 places, by 1 / distance", "share",
            "relations"),
    Feature("forward_last_log", "the same", FINE, "relations"),
    Feature("next_last", "share of what came right after the last item", "share", "relations"),
    Feature("next_last_log", "the same", FINE, "relations"),
    Feature("forward_before_log", "share of what followed the item before the last", FINE, "relations"),
    Feature("forward_all", "shares of what followed the session's items, by 0.7 ^ place", "share", "relations"),
    Feature("forward_all_log", "the same", FINE, "relations"),
    Feature("backward_all_log", "shares of what came before the session's items, by 0.7 ^ place", FINE, "relations"),
    Feature("together_all", "cosine of occurring with the session's items, by 0.7 ^ place", "cosine", "relations"),
    Feature("together_all_log", "the same", FINE, "relations"),
    Feature("events_log", "events of the item so far", COUNTED, "relations"),
    Feature("hour_log", "events of the item, halved every hour", DECAYED, "counts"),
    Feature("day_log", "events of the item, halved every day", DECAYED, "counts"),
    Feature("week_log", "events of the item, halved every 7 days", DECAYED, "counts"),
    Feature("month_log", "events of the item, halved every 30 days", DECAYED, "counts"),
    Feature("trend", "`week_log` - `month_log`", "difference", "counts"),
    Feature("is_own", "the session had it", "0 or 1", "session"),
    Feature("own_place", "1 / (1 + distinct items since the session last had it); 0 for others", "1", "session"),
    Feature("own_near", "exp(-distinct items since / 5); 0 for others", "1", "session"),
    Feature("own_times", "times that the session had it", COUNTED, "session"),
    Feature("is_last", "it is the item being looked at", "0 or 1", "session"),
    Feature("own_followed", "times that it followed the last item in this session", COUNTED, "session"),
    Feature("own_share_of_repeats", "`session_repeats`, if the session had the item", "share", "session"),
    Feature("own_repeat_rate", "`repeat_rate`, if the session had the item", "share", "relations"),
    Feature("repeat_rate", "events of the item in sessions that had it / (other events + 5)", "share", "relations"),
    Feature("session_length", "events that the session's last 64 items hold", COUNTED, "session"),
    Feature("session_repeats", "share of the session's events that are repeats", "share", "session"),
    Feature("same_category", "it has the last item's category", "0 or 1", "catalogue"),
    Feature("category_share", "share of the session's items in its category", "share", "catalogue"),
    Feature("category_rank", "1 / (1 + popularity rank in the last item's category)", "1", "trending"),
    Feature("same_brand", "it has the last item's brand", "0 or 1", "catalogue"),
    Feature("brand_share", "share of the session's items of its brand", "share", "catalogue"),
    Feature("price_gap", "distance of its price from the last item's", "|ln ratio|", "catalogue"),
    Feature("price_level", "its price against the geometric mean of the session's", "ln ratio", "catalogue"),
    Feature("popular_rank", "1 / (1 + popularity rank among all items)", "1", "trending"),
    Feature("weight", "what the item's quality weighs", "share", "catalogue"),
    Feature("brand_rank", "1 / (1 + popularity rank within the last item's brand)", "1", "trending"),
    Feature("beside", "1 / places between it and the last item, by price within category and brand", "1", "catalogue"),
    Feature("same_both", "it has the last item's category and brand", "0 or 1", "catalogue"),
    Feature("like_last", "its text against the last item's; 0 without both vectors", "cosine", "vectors"),
    Feature("like_session", "its text against the mean of the newest 8 items', by 0.7 ^ place", "cosine", "vectors"),
    Feature("like_rank", "1 / (1 + rank among the nearest to the last item); 0 for others", "1", "vectors"),
)  # fmt: skip

COUNT = len(FEATURES)
IS_LOG = np.array([each.is_log for each in FEATURES])
# Of one list: a row of MOST numbers a feature, so that one feature of all candidates lies together.
FEATURE_TYPE = np.dtype([(each.name, np.float32, (MOST,)) for each in FEATURES])

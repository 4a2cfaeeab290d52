"""What is popular now: forward-decayed counts per item, overall and within each category.

    score(i) = log Σ over interactions with i: weight · 2 ^ -((newest - ts) / half-life)

The half-life is fixed, or chosen from a ladder by the log's own density: the shortest one in which
about INTERACTIONS interactions happen. Density is that of the busiest days which together hold half
of all interactions. So quiet years between two logs do not count, and one event on a new day
changes next to nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NO_CATEGORY, Catalogue
from models.kernel import kernel
from models.ranking.popularity import Pool
from models.setting import setting
from models.state import Arrays, columns, require

HOUR, DAY = 3_600.0, 86_400.0
LOG_SHARE_DIGITS = 9
ROUNDING = 1e-12  # of a weight; less than it is what rounding left when interactions were taken back
# Below one millionth of the best item's popularity, a share only keeps the order; see `share_of`.
LOWEST_LOG_SHARE = math.log(1e-6)
# This number of interactions within a half-life found the next item well on three logs of very
# different density; see docs/adr/0011.
INTERACTIONS = 1_250
LADDER_HOURS = (1.0, 6.0, 24.0, 7 * 24.0, 30 * 24.0, 180 * 24.0)


@dataclass(frozen=True, slots=True)
class TrendingSettings:
    """How popularity is counted and forgotten."""

    half_life_hours: float = setting(
        0.0, "an interaction counts half after this long; 0 chooses it by how dense the log is", low=0
    )
    pool: int = setting(5_000, "most popular items among which each category's list is found", low=100)


class Popular(NamedTuple):
    """An item of a trending list; ordered by popularity, then item id. `minus_share` is -1 for the
    most popular.
    """

    minus_share: float
    item_id: str
    item: int


@dataclass(frozen=True, slots=True)
class TrendingLists:
    """Trending items, best first: overall, and by category number."""

    overall: tuple[Popular, ...]
    by_category: Mapping[int, tuple[Popular, ...]]


class Trending:
    """Decayed popularity of numbered items (forward decay, Cormode et al., ICDE 2009).

    An item's count is `value` as of its own newest event time `ts`, one for each half-life of the
    ladder. Bringing counts to a common time is a subtraction of logarithms. So for a given
    half-life neither the order of events nor a span of decades changes the result, and an event
    changes no order but that of its own item. The half-life depends on the set of events only: not
    on their order, nor on how they were batched.
    """

    def __init__(self, settings: TrendingSettings) -> None:
        self._settings = settings
        hours = (settings.half_life_hours,) if settings.half_life_hours else LADDER_HOURS
        self._half_lives = np.array(hours) * HOUR
        self._value = np.zeros((1024, len(hours)))
        self._ts = np.zeros(1024)
        # Most items of a large catalogue are never counted: those that were, end to end.
        self._is_counted = np.zeros(1024, np.bool_)
        self._counted = np.zeros(1024, np.int32)
        self._counted_items = 0
        self._days: dict[int, int] = {}

    @property
    def half_life_seconds(self) -> float:
        """The half-life in force."""
        return float(self._half_lives[self._rung()])

    def update(self, items: NDArray[np.int32], ts: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        """Count interactions: item numbers, event times in seconds and weights, each of shape
        (n,).
        """
        if len(items) == 0:
            return
        self._grow(int(items.max()) + 1)
        _count(self._value, self._ts, items, ts, weights, math.log(2) / self._half_lives)
        self._counted_items = _note(self._is_counted, self._counted, self._counted_items, items)
        days, counts = np.unique((ts // DAY).astype(np.int64), return_counts=True)
        for day, count in zip(days.tolist(), counts.tolist(), strict=True):
            self._days[day] = self._days.get(day, 0) + count

    def take_back(self, items: NDArray[np.int32], ts: NDArray[np.float64], weight: float) -> None:
        """Count these interactions no longer; each was counted with this weight. Shapes (n,)."""
        self._grow(int(items.max(initial=-1)) + 1)
        _count(self._value, self._ts, items, ts, np.full(len(items), -weight), math.log(2) / self._half_lives)
        left = self._value[items]
        self._value[items] = np.where(left < ROUNDING * weight, 0.0, left)
        for day in (ts // DAY).astype(np.int64).tolist():
            self._days[day] = self._days.get(day, 0) - 1
            if self._days[day] <= 0:
                del self._days[day]

    def pool(self, catalogue: Catalogue) -> Pool:
        """The most popular items that may be shown, as many as the settings say."""
        items = self._counted[: self._counted_items]
        scores = self._scores(items)
        known = np.flatnonzero(items < len(catalogue.weight))
        scores[known[catalogue.weight[items[known]] == 0]] = -np.inf
        pool = min(self._settings.pool, len(scores))
        best = np.argpartition(-scores, pool - 1)[:pool] if pool else np.zeros(0, np.intp)
        best = best[np.isfinite(scores[best])]
        best = best[np.argsort(-scores[best])]
        # Rounding hides noise, so that ties are ties.
        shares = share_of(np.round(scores[best] - scores[best[:1]], LOG_SHARE_DIGITS))
        return Pool(items[best], shares)

    def lists(self, catalogue: Catalogue, names: list[str], n: int) -> "TrendingLists":
        """The most popular items that may be shown, overall and per category, `n` each, ties broken
        by item id.
        """
        best, shares = self.pool(catalogue)
        by_category: dict[int, list[Popular]] = {}
        popular: list[Popular] = []
        for item, share in zip(best.tolist(), shares.tolist(), strict=True):
            entries = by_category.setdefault(catalogue.category_of(item), [])
            if _fits(popular, share, n) or _fits(entries, share, n):
                entry = Popular(-share, names[item], item)
                popular.append(entry)
                entries.append(entry)
        by_category.pop(NO_CATEGORY, None)
        ranked = {category: tuple(sorted(entries)[:n]) for category, entries in by_category.items()}
        return TrendingLists(tuple(sorted(popular)[:n]), ranked)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Arrays from which `restore` makes the same state."""
        days = sorted(self._days)
        return {
            "value": self._value.flatten(),
            "ts": self._ts.copy(),
            "half_lives": self._half_lives.copy(),
            "days": np.array(days, np.int64),
            "day_counts": np.array([self._days[day] for day in days], np.int64),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave. Raises ValueError for anything else, also for other
        half-lives.
        """
        self.check(arrays)
        require(np.array_equal(arrays["half_lives"], self._half_lives), "popularity has other half-lives")
        self._ts = arrays["ts"].copy()
        self._value = arrays["value"].reshape(len(self._ts), -1).copy()
        counted = np.flatnonzero(self._value.any(axis=1))
        self._is_counted, self._counted = np.zeros(len(self._ts), np.bool_), np.zeros(len(self._ts), np.int32)
        self._is_counted[counted], self._counted[: len(counted)] = True, counted
        self._counted_items = len(counted)
        self._days = dict(zip(arrays["days"].tolist(), arrays["day_counts"].tolist(), strict=True))

    @staticmethod
    def check(arrays: Arrays) -> int:
        """One more than the highest item that counts. Raises ValueError when `restore` could not
        take the columns.
        """
        value, ts, half_lives = columns(arrays, value=np.float64, ts=np.float64, half_lives=np.float64)
        days, counts = columns(arrays, days=np.int64, day_counts=np.int64)
        require(0 < len(value) == len(ts) * len(half_lives), "popularity and its times differ in number")
        require(np.isfinite(value).all() and np.isfinite(ts).all() and value.min() >= 0, "popularity is no number")
        require(len(days) == len(counts) and (np.diff(days) > 0).all(), "days and their counts do not fit")
        require((counts > 0).all(), "a day has no interactions")
        counted = np.flatnonzero(value.reshape(len(ts), -1).any(axis=1))
        return int(counted[-1]) + 1 if len(counted) else 0

    def _rung(self) -> int:
        """Which half-life of the ladder is in force: the first in which enough happens, or the
        longest.
        """
        if len(self._half_lives) == 1 or not self._days:
            return len(self._half_lives) - 1
        counts = np.sort(np.fromiter(self._days.values(), np.int64))
        density = counts[np.searchsorted(np.cumsum(counts), counts.sum() / 2)] / DAY
        return min(int(np.searchsorted(self._half_lives * density, INTERACTIONS)), len(self._half_lives) - 1)

    def _scores(self, items: NDArray[np.int32]) -> NDArray[np.float64]:
        """The logarithm of these items' popularity as of the newest event, -inf where there is
        none; shape (n,).
        """
        rung = self._rung()
        value, ts = self._value[items, rung], self._ts[items]
        newest = ts[value > 0].max(initial=0.0)
        with np.errstate(divide="ignore"):
            scores: NDArray[np.float64] = np.log(value) + (ts - newest) * (math.log(2) / self._half_lives[rung])
        return scores

    def _grow(self, size: int) -> None:
        if size > len(self._ts):
            more = max(size, 2 * len(self._ts)) - len(self._ts)
            self._value = np.concatenate([self._value, np.zeros((more, len(self._half_lives)))])
            self._ts = np.concatenate([self._ts, np.zeros(more)])
            self._is_counted = np.concatenate([self._is_counted, np.zeros(more, np.bool_)])
            self._counted = np.concatenate([self._counted, np.zeros(more, np.int32)])


def share_of(log_share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Popularity against the best item's, in (0, 1], of its logarithm, at most 0; both of shape
    (n,).

    The exponential where that is one millionth or more. Below, a function that falls so slowly that
    items of a log of decades still differ, and no share is 0.
    """
    tail = LOWEST_LOG_SHARE / np.minimum(log_share, LOWEST_LOG_SHARE)
    shares: NDArray[np.float64] = np.exp(np.maximum(log_share, LOWEST_LOG_SHARE)) * tail
    return shares


def _fits(entries: list[Popular], share: float, n: int) -> bool:
    """Whether an item of this share may be among the n best; all that tie with the last one may."""
    return len(entries) < n or entries[n - 1].minus_share == -share


@kernel
def _count(
    value: NDArray[np.float64],
    newest: NDArray[np.float64],
    items: NDArray[np.int32],
    ts: NDArray[np.float64],
    weights: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> None:
    for row in range(len(items)):
        item = items[row]
        age = ts[row] - newest[item]
        for rung in range(len(rates)):
            decay = math.exp(-abs(age) * rates[rung])
            if age >= 0:
                value[item, rung] = value[item, rung] * decay + weights[row]
            else:
                value[item, rung] += weights[row] * decay
        newest[item] = max(newest[item], ts[row])


@kernel
def _note(is_counted: NDArray[np.bool_], counted: NDArray[np.int32], known: int, items: NDArray[np.int32]) -> int:
    """Add items that were not counted before to the `known` ones; returns how many there are."""
    for item in items:
        if not is_counted[item]:
            is_counted[item] = True
            counted[known] = item
            known += 1
    return known

"""What is popular now: forward-decayed counts per item, overall and within each category."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.catalogue import NO_CATEGORY, Catalogue
from models.popularity import Pool
from models.setting import setting
from models.state import Arrays, columns, require

LOG_SHARE_DIGITS = 9


@dataclass(frozen=True, slots=True)
class TrendingSettings:
    """How popularity is counted and forgotten."""

    half_life_hours: float = setting(24.0, "an interaction counts half after this long", low=0.01)
    pool: int = setting(5_000, "most popular items among which each category's list is found", low=100)


class Popular(NamedTuple):
    """An item of a trending list; ordered by popularity, then item id. `minus_share` is -1 for the most popular."""

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

    An item's count is `value` as of its own newest event time `ts`; bringing counts to a common time is a
    subtraction of logarithms, so neither the order of events nor a span of decades changes the result.
    """

    def __init__(self, settings: TrendingSettings) -> None:
        self._settings = settings
        self._rate = math.log(2) / (settings.half_life_hours * 3600)
        self._value = np.zeros(1024)
        self._ts = np.zeros(1024)

    def update(self, items: NDArray[np.int32], ts: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        """Count interactions: item numbers, event times in seconds and weights, each of shape (n,)."""
        if len(items) == 0:
            return
        self._grow(int(items.max()) + 1)
        _count(self._value, self._ts, items, ts, weights, self._rate)

    def pool(self, catalogue: Catalogue) -> Pool:
        """The most popular items that may be shown, as many as the settings say."""
        with np.errstate(divide="ignore"):
            scores = np.log(self._value) + self._ts * self._rate
        known = min(len(scores), len(catalogue.weight))
        scores[:known][catalogue.weight[:known] == 0] = -np.inf
        pool = min(self._settings.pool, len(scores))
        best = np.argpartition(-scores, pool - 1)[:pool]
        best = best[np.isfinite(scores[best])]
        best = best[np.argsort(-scores[best])]
        # Rounding hides noise, so that ties are ties; rounded before exp(), items of last year still differ.
        shares = np.exp(np.round(scores[best] - scores[best[:1]], LOG_SHARE_DIGITS))
        return Pool(best.astype(np.int32), shares)

    def lists(self, catalogue: Catalogue, names: list[str], n: int) -> "TrendingLists":
        """The most popular items that may be shown, overall and per category, `n` each, ties broken by item id."""
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

    def snapshot(self) -> dict[str, NDArray[np.float64]]:
        """Arrays from which `restore` makes the same state."""
        return {"value": self._value.copy(), "ts": self._ts.copy()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave. Raises ValueError for anything else."""
        self.check(arrays)
        self._value, self._ts = arrays["value"].copy(), arrays["ts"].copy()

    @staticmethod
    def check(arrays: Arrays) -> int:
        """One more than the highest item that counts. Raises ValueError when `restore` could not take the columns."""
        value, ts = columns(arrays, value=np.float64, ts=np.float64)
        require(0 < len(value) == len(ts), "popularity and its times differ in number")
        require(np.isfinite(value).all() and np.isfinite(ts).all() and value.min() >= 0, "popularity is no number")
        counted = np.flatnonzero(value)
        return int(counted[-1]) + 1 if len(counted) else 0

    def _grow(self, size: int) -> None:
        if size > len(self._value):
            capacity = max(size, 2 * len(self._value))
            self._value = np.concatenate([self._value, np.zeros(capacity - len(self._value))])
            self._ts = np.concatenate([self._ts, np.zeros(capacity - len(self._ts))])


def _fits(entries: list[Popular], share: float, n: int) -> bool:
    """Whether an item of this share may be among the n best; all that tie with the last one may."""
    return len(entries) < n or entries[n - 1].minus_share == -share


@njit(cache=True)
def _count(
    value: NDArray[np.float64],
    newest: NDArray[np.float64],
    items: NDArray[np.int32],
    ts: NDArray[np.float64],
    weights: NDArray[np.float64],
    rate: float,
) -> None:
    for row in range(len(items)):
        item = items[row]
        age = ts[row] - newest[item]
        if age >= 0:
            value[item] = value[item] * math.exp(-age * rate) + weights[row]
            newest[item] = ts[row]
        else:
            value[item] += weights[row] * math.exp(age * rate)

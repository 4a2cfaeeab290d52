"""Brand, price, age and decayed counts of items by number; category, availability and quality are
the catalogue's.

A count is kept for each kind and half-life as of the item's own newest event, so that neither the
order of events nor how they are cut into batches matters but for rounding (forward decay, Cormode
et al., ICDE 2009).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Kind
from models.kernel import kernel
from models.state import Arrays, columns, pack, require, unpack
from models.vocabulary import Vocabulary

HALF_LIFE_SECONDS = (3_600.0, 86_400.0, 7 * 86_400.0, 30 * 86_400.0)
RATES = math.log(2) / np.array(HALF_LIFE_SECONDS)
NO_BRAND = -1
NO_PRICE = -1.0
NO_LOG_PRICE = -1e4  # of an item without a price above 0
HIGHEST_PRICE = float(np.finfo(np.float32).max)  # higher prices count as this one
FIRST_CAPACITY = 1024
FORMER_KINDS = [Kind.VIEW, Kind.CLICK, Kind.ORDER]  # of which snapshots of format 8 have counts
ROUNDING = 1e-6  # less than it is what rounding left when an interaction was taken back


class ItemFacts:
    """Columns by item number, each at least as long as the highest number that was described or
    counted.
    """

    def __init__(self) -> None:
        self.brands = Vocabulary()
        self.brand: NDArray[np.int32] = np.full(0, NO_BRAND, np.int32)
        self.price: NDArray[np.float32] = np.zeros(0, np.float32)
        self.log_price: NDArray[np.float32] = np.zeros(0, np.float32)
        self.first_seen: NDArray[np.float64] = np.zeros(0)
        self.counted_at: NDArray[np.float64] = np.zeros(0)
        self.counts: NDArray[np.float32] = np.zeros((0, len(Kind), len(HALF_LIFE_SECONDS)), np.float32)
        self._grow(FIRST_CAPACITY)

    @property
    def memory_bytes(self) -> int:
        """Bytes that the arrays take."""
        columns = (self.brand, self.price, self.log_price, self.first_seen, self.counted_at, self.counts)
        return sum(each.nbytes for each in columns)

    def describe(self, item: int, brand: str, price: float | None) -> None:
        """What the shop says: an empty brand is none, and so is a price of None."""
        self._grow(item + 1)
        self.brand[item] = self.brands.number(brand) if brand else NO_BRAND
        self.price[item] = NO_PRICE if price is None else min(price, HIGHEST_PRICE)
        self.log_price[item] = math.log(self.price[item]) if self.price[item] > 0 else NO_LOG_PRICE

    def learn(self, items: NDArray[np.int32], kinds: NDArray[np.int32], ts: NDArray[np.float64]) -> None:
        """Count interactions: item numbers, kinds and event times in seconds, each of shape
        (n,).
        """
        if len(items):
            self._grow(int(items.max()) + 1)
            _count(self.counts, self.counted_at, self.first_seen, items, kinds, ts, RATES)

    def take_back(self, items: NDArray[np.int32], kind: Kind, ts: NDArray[np.float64]) -> None:
        """Count these interactions no longer; shapes (n,). They were counted before."""
        self._grow(int(items.max(initial=-1)) + 1)
        for item, time in zip(items.tolist(), ts.tolist(), strict=True):
            left = self.counts[item, kind] - np.exp(-max(self.counted_at[item] - time, 0.0) * RATES)
            self.counts[item, kind] = np.where(left < ROUNDING, 0.0, left)

    def counts_at(self, items: NDArray[np.int32], now: float) -> NDArray[np.float64]:
        """The items' counts decayed to `now` in seconds, shape (n, kinds, half-lives); 0 before the
        first event.
        """
        age = np.maximum(now - self.counted_at[items], 0.0)
        return self.counts[items].astype(np.float64) * np.exp(-age[:, None, None] * RATES)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Columns from which `restore` makes the same state; the item numbers are the
        vocabulary's.
        """
        found: dict[str, NDArray[Any]] = {
            "brand": self.brand.copy(),
            "price": self.price.copy(),
            "first_seen": self.first_seen.copy(),
            "counted_at": self.counted_at.copy(),
            "counts": self.counts.flatten(),
        }
        return found | pack(self.brands.names, "brands", "brand_starts")

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave, also that of format 8, which counts no carts. Raises
        ValueError for anything else.
        """
        self.brands.numbers(self.check(arrays))
        self.brand, self.price = arrays["brand"].copy(), arrays["price"].copy()
        self.log_price = np.full(len(self.price), NO_LOG_PRICE, np.float32)
        np.log(self.price, out=self.log_price, where=self.price > 0)
        self.first_seen, self.counted_at = arrays["first_seen"].copy(), arrays["counted_at"].copy()
        counts = arrays["counts"].reshape(len(self.brand), -1, len(HALF_LIFE_SECONDS))
        self.counts = np.zeros((len(counts), len(Kind), len(HALF_LIFE_SECONDS)), np.float32)
        self.counts[:, list(Kind) if counts.shape[1] == len(Kind) else FORMER_KINDS] = counts

    @staticmethod
    def check(arrays: Arrays) -> list[str]:
        """The names of the brands. Raises ValueError when `restore` could not take the columns."""
        brand, price, counts = columns(arrays, brand=np.int32, price=np.float32, counts=np.float32)
        first_seen, counted_at = columns(arrays, first_seen=np.float64, counted_at=np.float64)
        brands = unpack(arrays, "brands", "brand_starts")
        same = 0 < len(brand) == len(price) == len(first_seen) == len(counted_at)
        widths = [len(kinds) * len(HALF_LIFE_SECONDS) for kinds in (Kind, FORMER_KINDS)]
        require(same and len(counts) / len(brand) in widths, "columns of items differ in length")
        require(brand.min() >= NO_BRAND and brand.max() < len(brands), "a brand has no name")
        require(np.isfinite(counts).all() and np.isfinite(counted_at).all() and counts.min() >= 0, "a count is none")
        require(np.isfinite(price).all(), "a price is no number")
        require(not np.isnan(first_seen).any(), "an item was first seen at no time")
        return brands

    def _grow(self, size: int) -> None:
        more = max(size, 2 * len(self.brand)) - len(self.brand)
        if size > len(self.brand):
            self.brand = np.concatenate([self.brand, np.full(more, NO_BRAND, np.int32)])
            self.price = np.concatenate([self.price, np.full(more, NO_PRICE, np.float32)])
            self.log_price = np.concatenate([self.log_price, np.full(more, NO_LOG_PRICE, np.float32)])
            self.first_seen = np.concatenate([self.first_seen, np.full(more, np.inf)])
            self.counted_at = np.concatenate([self.counted_at, np.zeros(more)])
            self.counts = np.concatenate([self.counts, np.zeros((more, *self.counts.shape[1:]), np.float32)])


@kernel
def _count(
    counts: NDArray[np.float32],
    counted_at: NDArray[np.float64],
    first_seen: NDArray[np.float64],
    items: NDArray[np.int32],
    kinds: NDArray[np.int32],
    ts: NDArray[np.float64],
    rates: NDArray[np.float64],
) -> None:
    for row in range(len(items)):
        item, age = items[row], ts[row] - counted_at[items[row]]
        first_seen[item] = min(first_seen[item], ts[row])
        for span in range(len(rates)):
            decay = math.exp(-abs(age) * rates[span])
            if age > 0:
                for kind in range(counts.shape[1]):
                    counts[item, kind, span] *= decay
                counts[item, kinds[row], span] += 1.0
            else:
                counts[item, kinds[row], span] += decay
        counted_at[item] = max(counted_at[item], ts[row])

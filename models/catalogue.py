"""What every worker must know of the catalogue: which items may be shown, how good and of what category they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Item
from models.items.facts import ItemFacts
from models.state import Arrays, columns, pack, require, unpack
from models.vocabulary import Vocabulary

NO_CATEGORY = -1
NO_PARTITION = -1


class Catalogue:
    """Availability, quality, category and place by item number; an item that it does not know may be shown."""

    def __init__(self, items: Vocabulary) -> None:
        self._items = items
        self.categories = Vocabulary()
        self.facts = ItemFacts()
        self._available = np.ones(1024, np.float32)
        self._quality = np.ones(1024, np.float32)
        self._weight = np.ones(1024, np.float32)
        self._category = np.full(1024, NO_CATEGORY, np.int32)
        self._partition = np.full(1024, NO_PARTITION, np.int32)

    def upsert(self, item: Item, partition: int = NO_PARTITION) -> None:
        """Take in an item as it is now; `partition` is that of the log of items in which it stands."""
        number = self._items.number(item.item_id)
        self._set_available(number, 1.0 if item.available else 0.0)
        self._category[number] = self.categories.number(item.category) if item.category else NO_CATEGORY
        self._partition[number] = partition
        self.facts.describe(number, item.brand, item.price)

    def withdraw(self, item_id: str) -> None:
        """Do not show the item until it is upserted again; what else is known of it stays."""
        self._set_available(self._items.number(item_id), 0.0)

    def delete(self, item_id: str) -> None:
        """Never show the item again, unless it comes back."""
        number = self._items.number(item_id)
        self._set_available(number, 0.0)
        self._partition[number] = NO_PARTITION

    def set_quality(self, item: int, quality: float) -> None:
        """Weight an item by the quality of its text, in [0, 1]; with 0 it is kept, but not shown."""
        self._grow(item + 1)
        self._quality[item] = quality
        self._weight[item] = self._available[item] * self._quality[item]

    @property
    def weight(self) -> NDArray[np.float32]:
        """Factor of each item's score by item number; 0 is never shown, items beyond the end count 1."""
        return self._weight

    @property
    def category(self) -> NDArray[np.int32]:
        """Category number by item number, NO_CATEGORY where there is none; the same length as `weight`."""
        return self._category

    @property
    def partition(self) -> NDArray[np.int32]:
        """The partition of each item by item number, NO_PARTITION for those that are not in the catalogue."""
        return self._partition

    def is_shown(self, item_id: str) -> bool:
        """Whether the item may be shown."""
        number = self._items.find(item_id)
        return number is None or number >= len(self._weight) or self._weight[number] > 0

    def is_deleted(self, item_id: str) -> bool:
        """Whether the shop deleted the item, or withdrew what it never described."""
        number = self._items.find(item_id)
        if number is None or number >= len(self._partition):
            return False
        return bool(self._partition[number] == NO_PARTITION and self._available[number] == 0)

    def category_of(self, item: int) -> int:
        """The item's category number, or NO_CATEGORY."""
        return int(self._category[item]) if item < len(self._category) else NO_CATEGORY

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Columns from which `restore` makes the same state but for quality; the item numbers are the vocabulary's."""
        arrays = {
            "available": self._available.copy(),
            "category": self._category.copy(),
            "partition": self._partition.copy(),
        }
        return arrays | pack(self.categories.names, "categories", "category_starts")

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave, into an empty catalogue. Raises ValueError for anything else."""
        categories = self.check(arrays)
        self.categories.numbers(categories)
        self._available, self._weight = arrays["available"].copy(), arrays["available"].copy()
        self._quality = np.ones_like(self._available)
        self._category, self._partition = arrays["category"].copy(), arrays["partition"].copy()

    @staticmethod
    def check(arrays: Arrays) -> list[str]:
        """The names of the categories. Raises ValueError when `restore` could not take the columns."""
        available, category, partition = columns(arrays, available=np.float32, category=np.int32, partition=np.int32)
        categories = unpack(arrays, "categories", "category_starts")
        same = 0 < len(available) == len(category) == len(partition)
        require(same, "columns of items differ in length")
        require(category.min() >= NO_CATEGORY and category.max() < len(categories), "a category has no name")
        return categories

    def _set_available(self, number: int, available: float) -> None:
        self._grow(number + 1)
        self._available[number] = available
        self._weight[number] = available * self._quality[number]

    def _grow(self, size: int) -> None:
        if size > len(self._weight):
            more = max(size, 2 * len(self._weight)) - len(self._weight)
            ones = np.ones(more, np.float32)
            self._available = np.concatenate([self._available, ones])
            self._quality = np.concatenate([self._quality, ones])
            self._weight = np.concatenate([self._weight, ones])
            self._category = np.concatenate([self._category, np.full(more, NO_CATEGORY, np.int32)])
            self._partition = np.concatenate([self._partition, np.full(more, NO_PARTITION, np.int32)])

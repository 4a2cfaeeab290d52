"""What every worker must know of the catalogue: which items may be shown, and what category each has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.events import Item
from models.state import Arrays, columns, pack, require, unpack
from models.vocabulary import Vocabulary

NO_CATEGORY = -1


class Catalogue:
    """Availability and category by item number; an item that the catalogue does not know may be shown."""

    def __init__(self, items: Vocabulary) -> None:
        self._items = items
        self.categories = Vocabulary()
        self._weight = np.ones(1024, np.float32)
        self._category = np.full(1024, NO_CATEGORY, np.int32)

    def upsert(self, item: Item) -> None:
        """Take in an item as it is now."""
        number = self._items.number(item.item_id)
        self._grow(number + 1)
        self._weight[number] = 1.0 if item.available else 0.0
        self._category[number] = self.categories.number(item.category) if item.category else NO_CATEGORY

    def delete(self, item_id: str) -> None:
        """Never show the item again, unless it comes back."""
        number = self._items.number(item_id)
        self._grow(number + 1)
        self._weight[number] = 0.0

    @property
    def weight(self) -> NDArray[np.float32]:
        """Factor of each item's score by item number; 0 is never shown, items beyond the end count 1."""
        return self._weight

    @property
    def category(self) -> NDArray[np.int32]:
        """Category number by item number, NO_CATEGORY where there is none; the same length as `weight`."""
        return self._category

    def is_shown(self, item_id: str) -> bool:
        """Whether the item may be shown."""
        number = self._items.find(item_id)
        return number is None or number >= len(self._weight) or self._weight[number] > 0

    def category_of(self, item: int) -> int:
        """The item's category number, or NO_CATEGORY."""
        return int(self._category[item]) if item < len(self._category) else NO_CATEGORY

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Columns from which `restore` makes the same state; the item numbers are the vocabulary's."""
        arrays = {"weight": self._weight.copy(), "category": self._category.copy()}
        return arrays | pack(self.categories.names, "categories", "category_starts")

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave, into an empty catalogue. Raises ValueError for anything else."""
        categories = self.check(arrays)
        self.categories.numbers(categories)
        self._weight, self._category = arrays["weight"].copy(), arrays["category"].copy()

    @staticmethod
    def check(arrays: Arrays) -> list[str]:
        """The names of the categories. Raises ValueError when `restore` could not take the columns."""
        weight, category = columns(arrays, weight=np.float32, category=np.int32)
        categories = unpack(arrays, "categories", "category_starts")
        require(0 < len(weight) == len(category), "weights and categories of items differ in number")
        require(category.min() >= NO_CATEGORY and category.max() < len(categories), "a category has no name")
        return categories

    def _grow(self, size: int) -> None:
        if size > len(self._weight):
            more = max(size, 2 * len(self._weight)) - len(self._weight)
            self._weight = np.concatenate([self._weight, np.ones(more, np.float32)])
            self._category = np.concatenate([self._category, np.full(more, NO_CATEGORY, np.int32)])

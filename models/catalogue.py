"""What every worker must know of the catalogue: which items may be shown, how good and of what
category they are.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.events import Item
from models.items.facts import ItemFacts
from models.setting import setting
from models.state import Arrays, columns, pack, require, unpack
from models.vocabulary import Vocabulary

NO_CATEGORY = -1
NO_PARTITION = -1
NEVER_UPDATED = -np.inf
AUTO, ALWAYS, NEVER = "auto", "always", "never"


@dataclass(frozen=True, slots=True)
class CatalogueSettings:
    """What the catalogue means for lists."""

    list_unknown: str = setting(
        AUTO,
        "whether to list items that the catalogue lacks; auto lists them until it has its first item",
        choices=(AUTO, ALWAYS, NEVER),
    )


class HiddenItems(NamedTuple):
    """Numbers of items that no list may hold, by why: sold out, a poor text, or not in the
    catalogue.
    """

    unavailable: int
    low_quality: int
    unknown: int


class Catalogue:
    """Availability, quality, category and place by item number.

    An unknown item is one of which the catalogue never said anything. `weight` is the one place
    that decides whether an item is listed, unknown or not: all lists multiply by it.
    """

    def __init__(self, items: Vocabulary, settings: CatalogueSettings | None = None) -> None:
        self._items = items
        self._list_unknown = (settings or CatalogueSettings()).list_unknown
        self._size = 0
        self.categories = Vocabulary()
        self.facts = ItemFacts()
        self._available = np.ones(1024, np.float32)
        self._quality = np.ones(1024, np.float32)
        self._category = np.full(1024, NO_CATEGORY, np.int32)
        self._partition = np.full(1024, NO_PARTITION, np.int32)
        self._updated_at = np.full(1024, NEVER_UPDATED)
        self._weigh_all()

    def upsert(self, item: Item, partition: int = 0) -> None:
        """Take in an item as it is now. `partition` is the item's partition in the log."""
        number = self._items.number(item.item_id)
        self._set(number, available=1.0 if item.available else 0.0, partition=partition)
        self._note_update(number, item.updated_at)
        self._category[number] = self.categories.number(item.category) if item.category else NO_CATEGORY
        self.facts.describe(number, item.brand, item.price)

    def is_outdated(self, item_id: str, updated_at: float | None) -> bool:
        """Whether a newer version of the item is known; False for one without a time, in
        seconds.
        """
        number = self._items.find(item_id)
        if number is None or number >= len(self._updated_at) or updated_at is None:
            return False
        return bool(updated_at < self._updated_at[number])

    def withdraw(self, item_id: str, updated_at: float | None = None) -> None:
        """Do not show the item until it is upserted again; what else is known of it stays."""
        number = self._items.number(item_id)
        self._grow(number + 1)
        self._note_update(number, updated_at)
        self._set(number, available=0.0, partition=int(self._partition[number]))

    def restock(self, item_id: str, updated_at: float | None = None, partition: int = 0) -> None:
        """Show the item again as it was described; one that never was has no description."""
        number = self._items.find(item_id)
        if number is None or number >= len(self._partition) or self._partition[number] == NO_PARTITION:
            self.upsert(Item(item_id, "", updated_at=updated_at), partition)
            return
        self._note_update(number, updated_at)
        self._set(number, available=1.0, partition=int(self._partition[number]))

    def delete(self, item_id: str) -> None:
        """Never show the item again, unless it comes back; any version of it may then."""
        number = self._items.number(item_id)
        self._set(number, available=0.0, partition=NO_PARTITION)
        self._updated_at[number] = NEVER_UPDATED

    def set_quality(self, item: int, quality: float) -> None:
        """Weight an item by the quality of its text, in [0, 1]; with 0 it is kept, but not
        shown.
        """
        self._grow(item + 1)
        self._quality[item] = quality
        self._weigh(item)

    def __len__(self) -> int:
        """The number of items in the catalogue."""
        return self._size

    @property
    def lists_unknown(self) -> bool:
        """Whether unknown items are listed."""
        return self._list_unknown == ALWAYS or (self._list_unknown == AUTO and self._size == 0)

    @property
    def weight(self) -> NDArray[np.float32]:
        """Factor of each item's score by item number, of all items of the vocabulary; with 0 it is
        never shown.
        """
        self._grow(len(self._items))
        return self._weight

    def count_unknown(self, items: NDArray[np.int32]) -> int:
        """How many of these item numbers, shape (n,), are unknown items; none while the catalogue
        is empty.
        """
        if self._size == 0:
            return 0
        self._grow(len(self._items))
        return int(np.count_nonzero((self._partition[items] == NO_PARTITION) & (self._available[items] > 0)))

    def count_hidden(self) -> HiddenItems:
        """How many items no list may hold, by why. An item that the shop deleted does not count."""
        self._grow(len(self._items))
        size = len(self._items)
        available, described = self._available[:size] > 0, self._partition[:size] != NO_PARTITION
        return HiddenItems(
            unavailable=int(np.count_nonzero(described & ~available)),
            low_quality=len(self.low_quality()),
            unknown=0 if self.lists_unknown else int(np.count_nonzero(available & ~described)),
        )

    def low_quality(self) -> NDArray[np.intp]:
        """The numbers of the items on sale that their text hides, in rising order."""
        size = len(self._items)
        self._grow(size)
        on_sale = (self._available[:size] > 0) & (self._partition[:size] != NO_PARTITION)
        return np.flatnonzero(on_sale & (self._quality[:size] <= 0))

    @property
    def category(self) -> NDArray[np.int32]:
        """Category number by item number, NO_CATEGORY where there is none; the same length as
        `weight`.
        """
        return self._category

    @property
    def partition(self) -> NDArray[np.int32]:
        """The partition of each item by item number, NO_PARTITION for those that are not in the
        catalogue.
        """
        return self._partition

    def is_shown(self, item_id: str) -> bool:
        """Whether the item may be shown."""
        number = self._items.find(item_id)
        return self.lists_unknown if number is None else bool(self.weight[number] > 0)

    def is_unknown(self, item_id: str) -> bool:
        """Whether the catalogue never said anything of the item."""
        number = self._items.find(item_id)
        if number is None or number >= len(self._partition):
            return True
        return bool(self._partition[number] == NO_PARTITION and self._available[number] > 0)

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
        """Columns from which `restore` makes the same state but for quality; the item numbers are
        the vocabulary's.
        """
        arrays = {
            "available": self._available.copy(),
            "category": self._category.copy(),
            "partition": self._partition.copy(),
            "updated_at": self._updated_at.copy(),
        }
        return arrays | pack(self.categories.names, "categories", "category_starts")

    def restore(self, arrays: Arrays) -> None:
        """Take over what `snapshot` gave, into an empty catalogue. Raises ValueError for anything
        else.
        """
        categories = self.check(arrays)
        self.categories.numbers(categories)
        self._available, self._quality = arrays["available"].copy(), np.ones_like(arrays["available"])
        self._category, self._partition = arrays["category"].copy(), arrays["partition"].copy()
        self._updated_at = arrays["updated_at"].copy()
        self._size = int(np.count_nonzero(self._partition != NO_PARTITION))
        self._weigh_all()

    @staticmethod
    def check(arrays: Arrays) -> list[str]:
        """The names of the categories. Raises ValueError when `restore` could not take the
        columns.
        """
        available, category, partition, updated_at = columns(
            arrays, available=np.float32, category=np.int32, partition=np.int32, updated_at=np.float64
        )
        categories = unpack(arrays, "categories", "category_starts")
        same = 0 < len(available) == len(category) == len(partition) == len(updated_at)
        require(same, "columns of items differ in length")
        require((updated_at < np.inf).all(), "a time of an update is no time")
        require(category.min() >= NO_CATEGORY and category.max() < len(categories), "a category has no name")
        return categories

    def _set(self, number: int, *, available: float, partition: int) -> None:
        self._grow(number + 1)
        listed_unknown = self.lists_unknown
        self._size += int(partition != NO_PARTITION) - int(self._partition[number] != NO_PARTITION)
        self._available[number] = available
        self._partition[number] = partition
        if self.lists_unknown == listed_unknown:
            self._weigh(number)
        else:
            self._weigh_all()

    def _note_update(self, number: int, updated_at: float | None) -> None:
        """Keep the newest time; a version without one says nothing of its age."""
        if updated_at is not None:
            self._updated_at[number] = max(updated_at, self._updated_at[number])

    def _weigh(self, number: int) -> None:
        is_listed = self._partition[number] != NO_PARTITION or self.lists_unknown
        self._weight[number] = self._available[number] * self._quality[number] if is_listed else 0.0

    def _weigh_all(self) -> None:
        self._weight: NDArray[np.float32] = self._available * self._quality
        if not self.lists_unknown:
            self._weight[self._partition == NO_PARTITION] = 0.0

    def _grow(self, size: int) -> None:
        if size > len(self._weight):
            more = max(size, 2 * len(self._weight)) - len(self._weight)
            ones = np.ones(more, np.float32)
            self._available = np.concatenate([self._available, ones])
            self._quality = np.concatenate([self._quality, ones])
            self._weight = np.concatenate([self._weight, ones if self.lists_unknown else np.zeros_like(ones)])
            self._category = np.concatenate([self._category, np.full(more, NO_CATEGORY, np.int32)])
            self._partition = np.concatenate([self._partition, np.full(more, NO_PARTITION, np.int32)])
            self._updated_at = np.concatenate([self._updated_at, np.full(more, NEVER_UPDATED)])

"""What a shop says of items, as far as the ranker reads it; also of items without a title."""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.items.facts import NO_LOG_PRICE
from models.vocabulary import Vocabulary

NONE = -1
NO_PRICE = NO_LOG_PRICE
FIRST_ITEMS = 1024


class SaidOfItems(Protocol):
    """Columns by item number, -1 for no category and no brand, and logarithms of prices; items
    beyond their ends have none of these.
    """

    @property
    def categories(self) -> Vocabulary:
        """The names of categories."""

    @property
    def brands(self) -> Vocabulary:
        """The names of brands."""

    @property
    def category(self) -> NDArray[np.int32]:
        """Numbers of categories."""

    @property
    def brand(self) -> NDArray[np.int32]:
        """Numbers of brands."""

    @property
    def price(self) -> NDArray[np.float32]:
        """Natural logarithms of prices, NO_PRICE for none."""


class Goods:
    """Category, brand and price by item number; columns are at least as long as the highest number
    that was described.
    """

    def __init__(self) -> None:
        self.categories = Vocabulary()
        self.brands = Vocabulary()
        self.category: NDArray[np.int32] = np.full(FIRST_ITEMS, NONE, np.int32)
        self.brand: NDArray[np.int32] = np.full(FIRST_ITEMS, NONE, np.int32)
        self.price: NDArray[np.float32] = np.full(FIRST_ITEMS, NO_PRICE, np.float32)

    def describe(self, item: int, category: str, brand: str, price: float | None) -> None:
        """Note what the shop says; an empty text is none, and so is a price that is no number above
        0. Of a price its natural logarithm is kept.
        """
        if item >= len(self.category):
            more = item + 1
            self.category = np.concatenate([self.category, np.full(more, NONE, np.int32)])
            self.brand = np.concatenate([self.brand, np.full(more, NONE, np.int32)])
            self.price = np.concatenate([self.price, np.full(more, NO_PRICE, np.float32)])
        self.category[item] = self.categories.number(category) if category else NONE
        self.brand[item] = self.brands.number(brand) if brand else NONE
        is_price = price is not None and math.isfinite(price) and price > 0
        self.price[item] = math.log(price) if price is not None and is_price else NO_PRICE


class CatalogueGoods:
    """What a catalogue says, as it is now."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @property
    def categories(self) -> Vocabulary:
        """The names of categories."""
        return self._catalogue.categories

    @property
    def brands(self) -> Vocabulary:
        """The names of brands."""
        return self._catalogue.facts.brands

    @property
    def category(self) -> NDArray[np.int32]:
        """Numbers of categories."""
        return self._catalogue.category

    @property
    def brand(self) -> NDArray[np.int32]:
        """Numbers of brands."""
        return self._catalogue.facts.brand

    @property
    def price(self) -> NDArray[np.float32]:
        """Natural logarithms of prices, NO_PRICE for none."""
        return self._catalogue.facts.log_price

"""What a shop says of items, as far as the ranker reads it; also of items without a title."""

import math

import numpy as np
from numpy.typing import NDArray

from models.vocabulary import Vocabulary

NONE = -1
NO_PRICE = -1e4  # the logarithm of no price is as low
FIRST_ITEMS = 1024


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

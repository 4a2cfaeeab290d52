"""Items that lie side by side: those of one category and brand, in the order of their prices.

So also an item that no user has seen is found from its like.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.ranker.goods import NONE, SaidOfItems

NOWHERE = -1


class Shelf(NamedTuple):
    """Items in order; item i lies at `place[i]`, or NOWHERE, and `group` (n,) tells what lies
    together.
    """

    items: NDArray[np.int32]
    group: NDArray[np.int32]
    place: NDArray[np.int32]


def fill_shelf(goods: SaidOfItems, weight: NDArray[np.float32]) -> Shelf:
    """Put up all items that have a category or a brand and whose `weight` (items,) is above 0."""
    count = min(len(weight), len(goods.category), len(goods.brand), len(goods.price))
    category, brand, price = goods.category[:count], goods.brand[:count], goods.price[:count]
    known = np.flatnonzero((weight[:count] > 0) & ((category != NONE) | (brand != NONE)))
    order = known[np.lexsort((known, price[known], brand[known], category[known]))].astype(np.int32)
    starts = np.ones(len(order), np.int32)
    starts[1:] = (np.diff(category[order]) != 0) | (np.diff(brand[order]) != 0)
    place = np.full(count, NOWHERE, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return Shelf(order, np.cumsum(starts, dtype=np.int32), place)

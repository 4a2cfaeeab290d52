"""What the shop says of items, and the order of those that are alike."""

import math

import numpy as np
import pytest

from models.ranker.goods import NO_PRICE, NONE, Goods
from models.ranker.shelf import NOWHERE, fill_shelf


def test_prices_are_kept_as_logarithms() -> None:
    goods = Goods()
    goods.describe(3, "lamps", "Lumen", math.e)
    assert goods.price[3] == 1
    assert (goods.category[3], goods.brand[3]) == (0, 0)


@pytest.mark.parametrize("price", [None, 0.0, -2.0, math.inf, math.nan])
def test_what_is_no_price_is_none(price: float | None) -> None:
    goods = Goods()
    goods.describe(3, "", "", 5.0)
    goods.describe(3, "", "", price)
    assert goods.price[3] == np.float32(NO_PRICE)
    assert (goods.category[3], goods.brand[3]) == (NONE, NONE)


def test_there_is_room_for_any_item() -> None:
    goods = Goods()
    goods.describe(50_000, "lamps", "", 2.0)
    assert len(goods.category) == len(goods.brand) == len(goods.price) > 50_000
    assert goods.category[50_000] == 0


def test_a_shelf_is_ordered_by_price_within_category_and_brand() -> None:
    goods = Goods()
    for item, category, brand, price in ((0, "a", "x", 3.0), (1, "a", "x", 1.0), (2, "b", "x", 2.0), (3, "", "", 1.0)):
        goods.describe(item, category, brand, price)
    shelf = fill_shelf(goods, np.ones(4, np.float32))

    assert shelf.items.tolist() == [1, 0, 2]
    assert shelf.place[:4].tolist() == [1, 0, 2, NOWHERE]
    assert shelf.group[0] == shelf.group[1] != shelf.group[2]


def test_what_is_not_shown_is_not_on_the_shelf() -> None:
    goods = Goods()
    for item in range(3):
        goods.describe(item, "a", "x", float(item + 1))
    assert fill_shelf(goods, np.array([1, 0, 1], np.float32)).items.tolist() == [0, 2]

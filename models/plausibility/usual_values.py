"""What is usual of an item's price or quantity, learned in one pass, and what is far from it.

Centre and scale of the logarithms move by bounded steps (Huber, Annals of Mathematical Statistics
1964), so single absurd values hardly move them, and a lasting change is followed. They are kept for
each item and, for items that few have ordered, for each category.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.kernel import kernel

FEWEST_OF_ITEM = 6
FEWEST_OF_CATEGORY = 50
NO_CATEGORY = -1
# Values that the estimates follow, about; scales are of logarithms.
HORIZON = 32.0
FIRST_SCALE, LEAST_SCALE = 0.5, 0.05
BOUND = 3.0  # scales that one value counts at most
FAR = 6.0  # mean absolute deviations from the centre
NEAR_CATALOGUE = np.log(3.0)

# Columns of what is known of one item or category.
COUNT, CENTRE, SCALE = range(3)


class Reference(NamedTuple):
    """What is known of the items of n events besides their values: the number of each one's
    category, NO_CATEGORY for none, and the logarithm of the catalogue's price, NaN for none.
    """

    categories: NDArray[np.int32]
    log_price: NDArray[np.float64]


class UsualValues:
    """What is usual by item number and by category number; the last category is that of all."""

    def __init__(self) -> None:
        self._items = np.zeros((1024, 3))
        self._categories = np.zeros((64, 3))

    def judge(
        self, values: NDArray[np.float64], items: NDArray[np.int32], reference: Reference, factor: float, most: float
    ) -> NDArray[np.bool_]:
        """Take in values, and return which are far from what is usual, shape (n,).

        A value within `factor` of the usual one is never far, and one that differs by more than
        `most` always is. NaN is no value.
        """
        far = np.zeros(len(values), np.bool_)
        if len(values):
            self._items = _grown(self._items, int(items.max()) + 1)
            self._categories = _grown(self._categories, int(reference.categories.max()) + 2)
            with np.errstate(invalid="ignore", divide="ignore"):
                logs = np.log(values)
            _judge(self._items, self._categories, logs, items, *reference, np.log(factor), np.log(most), far)
        return far


def _grown(known: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    if size <= len(known):
        return known
    return np.concatenate([known, np.zeros((max(size, 2 * len(known)) - len(known), 3))])


@kernel
def _judge(
    by_item: NDArray[np.float64],
    by_category: NDArray[np.float64],
    logs: NDArray[np.float64],
    items: NDArray[np.int32],
    categories: NDArray[np.int32],
    log_price: NDArray[np.float64],
    least: float,
    most: float,
    far: NDArray[np.bool_],
) -> None:
    for row in range(len(logs)):
        value = logs[row]
        if not np.isfinite(value):
            continue
        item, category = by_item[items[row]], by_category[categories[row] + 1]
        if item[COUNT] >= FEWEST_OF_ITEM:
            far[row] = abs(value - item[CENTRE]) > min(max(least, FAR * item[SCALE]), most)
        elif np.isfinite(log_price[row]):
            far[row] = abs(value - log_price[row]) > 0.5 * (least + most)
        elif category[COUNT] >= FEWEST_OF_CATEGORY:
            far[row] = abs(value - category[CENTRE]) > max(least, FAR * category[SCALE])
        if far[row] and abs(value - log_price[row]) <= NEAR_CATALOGUE:
            far[row] = False
        _follow(item, value)
        _follow(category, value)


@kernel
def _follow(known: NDArray[np.float64], value: float) -> None:
    if known[COUNT] == 0.0:
        known[CENTRE], known[SCALE] = value, FIRST_SCALE
    step = 1.0 / min(known[COUNT] + 1.0, HORIZON)
    bound = BOUND * known[SCALE]
    away = value - known[CENTRE]
    if known[COUNT] > 0.0:
        known[CENTRE] += step * min(max(away, -bound), bound)
        known[SCALE] = max(known[SCALE] + step * (min(abs(away), bound) - known[SCALE]), LEAST_SCALE)
    known[COUNT] += 1.0

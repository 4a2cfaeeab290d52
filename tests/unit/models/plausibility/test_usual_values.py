"""What is usual of an item is learned in one pass; what is far from it stands out."""

import numpy as np
from numpy.typing import NDArray

from models.plausibility.usual_values import NO_CATEGORY, Reference, UsualValues

FACTOR, MOST = 5.0, 50.0


def reference(size: int, category: int = NO_CATEGORY, price: float | None = None) -> Reference:
    return Reference(
        np.full(size, category, np.int32), np.full(size, np.nan if price is None else np.log(price), np.float64)
    )


def judged(usual: UsualValues, values: list[float], item: int = 0, known: Reference | None = None) -> list[bool]:
    items = np.full(len(values), item, np.int32)
    found: NDArray[np.bool_] = usual.judge(np.array(values), items, known or reference(len(values)), FACTOR, MOST)
    return [bool(each) for each in found]


def test_a_price_a_hundred_times_the_usual_one_is_far_in_both_directions() -> None:
    usual = UsualValues()
    assert judged(usual, [9.9, 10.0, 10.1] * 20) == [False] * 60

    assert judged(usual, [1_000.0, 0.1, 10.0, 12.0]) == [True, True, False, False]


def test_nothing_is_far_before_enough_is_known() -> None:
    assert judged(UsualValues(), [10.0, 1_000.0, 0.1]) == [False] * 3


def test_single_absurd_values_hardly_move_what_is_usual() -> None:
    usual = UsualValues()
    judged(usual, [10.0] * 20 + [1e6] * 3 + [10.0] * 5)

    assert judged(usual, [10.0, 1_000.0]) == [False, True]


def test_a_lasting_change_is_followed() -> None:
    usual = UsualValues()
    judged(usual, [10.0] * 50)

    found = judged(usual, [100.0] * 200)

    assert found[0]
    assert not any(found[100:])


def test_an_item_s_first_prices_are_compared_with_the_catalogue() -> None:
    usual = UsualValues()

    assert judged(usual, [10.0, 1_000.0, 0.1, 20.0], known=reference(4, price=10.0)) == [False, True, True, False]


def test_a_price_near_the_catalogue_s_is_never_far() -> None:
    usual = UsualValues()
    judged(usual, [10.0] * 50)

    assert judged(usual, [1.0, 1.0], known=reference(2, price=1.0)) == [False, False]
    assert judged(usual, [1.0], known=reference(1)) == [True]


def test_new_items_are_compared_with_their_category() -> None:
    usual = UsualValues()
    rng = np.random.default_rng(0)
    for item in range(60):
        judged(usual, [float(rng.lognormal(2, 0.2))], item, reference(1, category=3))

    assert judged(usual, [7.0, 70_000.0], 99, reference(2, category=3)) == [False, True]
    assert judged(usual, [70_000.0], 100, reference(1, category=4)) == [False]


def test_what_has_no_value_is_passed_over() -> None:
    usual = UsualValues()
    judged(usual, [10.0] * 20)

    assert judged(usual, [float("nan"), 0.0, -1.0, 10.0]) == [False] * 4

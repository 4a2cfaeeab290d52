"""What is no order of a product is told as what it is, on the quick way and on the slow one."""

from builders import batch, event

from models.contract.event_codec import EventSettings, decode
from models.contract.events import Kind
from models.contract.outcome import Reason


def test_what_came_back_is_told_as_such_though_it_has_no_price() -> None:
    [rejected] = decode(batch(event(price=0, quantity=-12)), Kind.ORDER, EventSettings()).rejected
    assert rejected.reason is Reason.RETURNED


def test_an_item_that_a_shop_names_as_no_product_is_refused_on_both_ways() -> None:
    settings = EventSettings(non_products=" POST, BANK CHARGES")
    quick, coerced, product = event(item_id="POST"), event(item_id="BANK CHARGES", price="1.50"), event(item_id="post")
    decoded = decode(batch(quick, coerced, product), Kind.ORDER, settings)
    assert [each.reason for each in decoded.rejected] == [Reason.NON_PRODUCT] * 2
    assert [each.item_id for each in decoded.accepted.events] == ["post"]


def test_a_shop_that_sells_by_the_ten_thousand_says_so() -> None:
    decoded = decode(batch(event(quantity=74_215)), Kind.ORDER, EventSettings(quantity_limit=100_000))
    assert len(decoded.accepted) == 1

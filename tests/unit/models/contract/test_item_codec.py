"""Decode records of `items`: each is an upsert, a deletion, or a rejection with its own reason."""

import orjson
import pytest
from builders import NOW, Fields, batch, item, without

from models.contract.event_codec import EventSettings
from models.contract.events import Item
from models.contract.item_codec import Change, DecodedItem, Deleted, Restocked, Withdrawn, decode_items
from models.contract.outcome import Reason, Rejected

SETTINGS = EventSettings()


def decode_whole(value: Fields | bytes | None) -> DecodedItem:
    [decoded] = decode_items(batch(value, topic="items"), SETTINGS)
    return decoded


def decode_one(value: Fields | bytes | None) -> Change | Rejected | None:
    """Return the rejection if there is one, else the change."""
    decoded = decode_whole(value)
    return decoded.rejected or decoded.change


def test_an_item_keeps_all_that_the_shop_sent() -> None:
    sent: Fields = {
        "category": "Home/Kitchen",
        "brand": "Acme",
        "description": "Boils water.",
        "price": 19.5,
        "currency": "EUR",
        "available": False,
        "attributes": {"color": "red", "sizes": [1, 2]},
        "updated_at": NOW,
        "url": "https://shop.example/i1",
        "image_url": "https://cdn.example/i1.jpg",
    }
    outcome = decode_one(item("i1", title="Kettle", **sent))
    assert outcome == Item("i1", "Kettle", **sent)  # type: ignore[arg-type]  # the fields above by name


def test_only_the_id_is_required() -> None:
    assert decode_one({"item_id": "i1", "title": "Kettle"}) == Item("i1", "Kettle")
    assert decode_one({"item_id": "i1", "price": 3}) == Item("i1", "", price=3)
    assert decode_one({"item_id": "i1", "title": None}) == Item("i1", "")
    assert Item("i1", "Kettle").available


def test_unknown_fields_are_ignored_and_counted() -> None:
    sent: Fields = {"color": "red", "weight": None, "availability": "in stock", "__deleted": "false"}
    assert decode_whole(item("i1", title="Kettle", **sent)).unknown_fields == 2
    assert decode_whole(item("i1", title=7, color="red")).unknown_fields == 0


def test_null_says_the_same_as_absent() -> None:
    names = ("category", "brand", "description", "price", "currency", "available", "attributes", "updated_at")
    assert decode_one(item("i1", title="Kettle", **dict.fromkeys(names))) == Item("i1", "Kettle")


def test_space_around_text_is_no_text() -> None:
    outcome = decode_one(item("i1", title="  Kettle\n", category=" Home "))
    assert outcome == Item("i1", "Kettle", category="Home")


def test_a_price_of_0_is_not_known() -> None:
    outcome = decode_one(item(price=0))
    assert isinstance(outcome, Item)
    assert outcome.price is None


@pytest.mark.parametrize("sent", [{}, {"title": None}, {"title": " "}, {"title": "\u200b"}, {"price": 3}])
def test_what_is_not_available_needs_no_title(sent: Fields) -> None:
    assert decode_one({"item_id": "i1", "available": False} | sent) == Withdrawn("i1")


@pytest.mark.parametrize("said", [{"available": True}, {"availability": "in stock"}, {"available": 3, "stock": 3}])
def test_a_record_that_says_only_that_an_item_is_on_sale_keeps_its_description(said: Fields) -> None:
    assert decode_one({"item_id": "i1", "updated_at": NOW, "title": None} | said) == Restocked("i1", NOW)
    assert decode_one({"item_id": "i1", "brand": "Acme"} | said) == Item("i1", "", brand="Acme")


def test_a_notice_keeps_its_time_unless_that_is_what_is_broken() -> None:
    notice: Fields = {"item_id": "i1", "available": False}
    assert decode_one(notice | {"updated_at": NOW}) == Withdrawn("i1", NOW)
    assert decode_whole(notice | {"updated_at": f"{NOW}", "price": -1}).change == Withdrawn("i1", NOW)
    assert decode_whole(notice | {"updated_at": NOW * 1000}).change == Withdrawn("i1")


def test_a_record_without_a_time_of_its_own_bounds_no_time() -> None:
    raw = batch(item("i1", title="Kettle", updated_at=NOW), topic="items")
    raw.times[:] = NOW / 1000
    assert decode_items(raw, SETTINGS)[0].change == Item("i1", "Kettle", updated_at=NOW)


def test_a_time_may_be_a_string_with_zone() -> None:
    outcome = decode_one(item(updated_at="2025-10-09T08:53:20Z"))
    assert isinstance(outcome, Item)
    assert outcome.updated_at == NOW


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"{", Reason.MALFORMED_JSON, ""),
        (b'{"item_id": "\xff"}', Reason.INVALID_UTF8, "byte 13"),
        (b"[]", Reason.NOT_AN_OBJECT, "array"),
        (item(description="x" * 2_000_000), Reason.TOO_LARGE, "bytes"),
        (without(item(), "item_id"), Reason.MISSING_FIELD, "item_id"),
        (item(title=""), Reason.MISSING_FIELD, "title"),
        (item(title=" \t"), Reason.MISSING_FIELD, "title"),
        (item(title="\u200b\u2060\ufeff"), Reason.MISSING_FIELD, "leave the field out"),
        (item(updated_at=NOW * 1000), Reason.FROM_THE_FUTURE, "milliseconds"),
        (item(updated_at=NOW / 1000), Reason.TOO_OLD, "updated_at"),
        (item(updated_at=NOW + 400), Reason.FROM_THE_FUTURE, "updated_at"),
        (item(url=5), Reason.WRONG_TYPE, "url"),
        (item(image_url="x" * 4_097), Reason.FIELD_TOO_LONG, "image_url"),
        ({"item_id": "i1", "available": False, "price": -1}, Reason.INVALID_VALUE, "price"),
        (item(""), Reason.EMPTY_ID, "item_id"),
        (item(5.5), Reason.WRONG_TYPE, "item_id"),
        (item(title=5), Reason.WRONG_TYPE, "title"),
        (item(category=["Home"]), Reason.WRONG_TYPE, "category"),
        (item(price="9,99"), Reason.WRONG_TYPE, "decimal point"),
        (item(price=-1), Reason.INVALID_VALUE, "price"),
        (item(available="perhaps"), Reason.WRONG_TYPE, "available 'perhaps'"),
        (item(available=""), Reason.WRONG_TYPE, "available"),
        (item(available=[False]), Reason.WRONG_TYPE, "available"),
        (item(attributes=[]), Reason.WRONG_TYPE, "attributes"),
        (item(updated_at="yesterday"), Reason.INVALID_TIME, "updated_at"),
        (item(updated_at="2025-10-09T08:00:00"), Reason.INVALID_TIME, "zone"),
        (item("i" * 129), Reason.FIELD_TOO_LONG, "item_id"),
        (item(title="x" * 2_001), Reason.FIELD_TOO_LONG, "title"),
        (item(description="x" * 100_001), Reason.FIELD_TOO_LONG, "description"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_an_item_that_cannot_be_kept_says_why(value: Fields | bytes, reason: Reason, detail: str) -> None:
    outcome = decode_one(value)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert detail in outcome.detail
    assert outcome.value == (value if isinstance(value, bytes) else orjson.dumps(value))


@pytest.mark.parametrize(
    "sold_out",
    [
        0, 0.0, -2, "0", "-1", "false", "False", " FALSE ", "f", "no", "N", "off", "out of stock", "out_of_stock",
        "Out-Of-Stock", "OutOfStock", "sold out", "SoldOut", "unavailable", "discontinued",
        "https://schema.org/OutOfStock", "http://schema.org/SoldOut", "http://www.schema.org/Discontinued",
        "schema:OutOfStock",
    ],
)  # fmt: skip
def test_sold_out_is_understood_as_databases_and_feeds_write_it(sold_out: object) -> None:
    decoded = decode_whole(item("i1", title="Kettle", available=sold_out))
    assert decoded == DecodedItem(Item("i1", "Kettle", available=False), coerced=("available",))


@pytest.mark.parametrize(
    "on_sale",
    [
        1, 1.0, 12, "1", "3", "true", "TRUE", "yes", "y", "on", "in stock", "in_stock", "InStock", "available",
        "limited availability", "preorder", "https://schema.org/InStock", "http://schema.org/PreOrder",
    ],
)  # fmt: skip
def test_on_sale_is_understood_as_databases_and_feeds_write_it(on_sale: object) -> None:
    decoded = decode_whole(item("i1", title="Kettle", available=on_sale))
    assert decoded == DecodedItem(Item("i1", "Kettle", available=True), coerced=("available",))


@pytest.mark.parametrize(
    ("sent", "available", "coerced"),
    [
        ({"available": True}, True, ()),
        ({"available": None}, True, ()),
        ({"availability": "out of stock"}, False, ("available",)),
        ({"availability": "perhaps"}, True, ()),
        ({"available": True, "availability": "out of stock"}, True, ()),
    ],
)
def test_the_name_that_feeds_use_is_read_where_the_contract_s_is_absent(
    sent: Fields, available: bool, coerced: tuple[str, ...]
) -> None:
    decoded = decode_whole(item("i1", title="Kettle", **sent))
    assert decoded == DecodedItem(Item("i1", "Kettle", available=available), coerced=coerced)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"price": "19,99"}, Reason.WRONG_TYPE),
        ({"price": -1}, Reason.INVALID_VALUE),
        ({"currency": 978}, Reason.WRONG_TYPE),
        ({"category": ["Apparel", "Shirts"]}, Reason.WRONG_TYPE),
        ({"title": 5}, Reason.WRONG_TYPE),
        ({"title": "x" * 2_001}, Reason.FIELD_TOO_LONG),
        ({"updated_at": "yesterday"}, Reason.INVALID_TIME),
        ({"attributes": []}, Reason.WRONG_TYPE),
        ({"description": "x" * 1_000_001}, Reason.TOO_LARGE),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("sold_out", [False, 0, "out of stock"])
def test_a_sold_out_notice_is_obeyed_and_quarantined_when_another_field_is_broken(
    broken: Fields, reason: Reason, sold_out: object
) -> None:
    value = item("i1", available=sold_out) | broken
    decoded = decode_whole(value)
    assert decoded.change == Withdrawn("i1")
    assert decoded.rejected is not None
    assert (decoded.rejected.reason, decoded.rejected.value) == (reason, orjson.dumps(value))
    assert decoded.coerced == (() if sold_out is False else ("available",))


def test_a_sold_out_notice_whose_id_is_a_number_is_obeyed_though_another_field_is_broken() -> None:
    decoded = decode_whole({"item_id": 7, "available": False, "price": -1})
    assert decoded.change == Withdrawn("7")
    assert decoded.rejected is not None
    assert decoded.coerced == ("item_id",)


@pytest.mark.parametrize(
    "value",
    [
        item("i1", price="19,99"),
        item("i1", price="19,99", available=True),
        item("i1", price="19,99", available="perhaps"),
        item("", available=False),
        item("i" * 129, available=False),
        item(["i1"], available=False),
        {"available": False},
        b'{"item_id": "i1", "available": false',
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_broken_record_that_withdraws_no_known_item_changes_nothing(value: Fields | bytes) -> None:
    decoded = decode_whole(value)
    assert decoded.change is None
    assert decoded.rejected is not None


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"item_id": 7}, {"item_id": "7"}),
        ({"price": "9.99"}, {"price": 9.99}),
        ({"category": 12}, {"category": "12"}),
        ({"brand": 3}, {"brand": "3"}),
        ({"updated_at": "2025-10-09 08:53:20 UTC"}, {"updated_at": NOW}),
        ({"updated_at": str(NOW)}, {"updated_at": NOW}),
    ],
)
def test_other_forms_of_a_field_are_understood_and_named_or_refused_where_none_is_allowed(
    sent: Fields, meant: Fields
) -> None:
    decoded = decode_whole(item() | sent)
    assert decoded.change == decode_whole(item() | meant).change
    assert decoded.coerced == tuple(sent)
    [refused] = decode_items(batch(item() | sent, item() | meant, topic="items"), EventSettings(strict=True))[:1]
    assert refused.rejected is not None
    assert (refused.rejected.reason, refused.change) == (Reason.WRONG_TYPE, None)


def test_where_no_other_form_is_allowed_a_sold_out_notice_is_obeyed_all_the_same() -> None:
    sent = item("i1", available="out of stock")
    [decoded] = decode_items(batch(sent, topic="items"), EventSettings(strict=True))
    assert decoded.change == Withdrawn("i1")
    assert decoded.rejected is not None
    assert "available" in decoded.rejected.detail


def test_outcomes_are_in_the_order_of_the_records() -> None:
    raw = batch(item("a"), None, b"{", item("b"), topic="items")
    kinds = [type(each.rejected or each.change) for each in decode_items(raw, SETTINGS)]
    assert kinds == [Item, Deleted, Rejected, Item]


def test_an_array_of_a_thousand_levels_is_refused_as_any_other() -> None:
    value = b'{"item_id":"i1","title":"Mug","available":' + 1_000 * b"[" + 1_000 * b"]" + b"}"
    rejected = decode_whole(value).rejected
    assert rejected is not None
    assert (rejected.reason, rejected.detail[:18]) == (Reason.WRONG_TYPE, "available an array")


def test_a_time_of_0_says_that_it_is_not_known_when_an_item_was_changed() -> None:
    for never in (0, "1970-01-01T00:00:00Z"):
        outcome = decode_one(item(updated_at=never))
        assert isinstance(outcome, Item)
        assert outcome.updated_at is None

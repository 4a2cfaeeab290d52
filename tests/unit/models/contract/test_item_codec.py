"""Every record of `items` is an upsert, a deletion, or a rejection with a reason of its own."""

import orjson
import pytest
from builders import NOW, Fields, batch, item, without

from models.contract.event_codec import EventSettings
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, Deleted, Withdrawn, decode_items
from models.contract.outcome import Reason, Rejected

SETTINGS = EventSettings()


def decode_one(value: Fields | bytes | None) -> Change | Rejected:
    [outcome] = decode_items(batch(value, topic="items"), SETTINGS)
    return outcome


def deletion(key: bytes | None) -> RawBatch:
    raw = batch(None, topic="items", first=7)
    raw.keys[0] = key
    return raw


def test_an_item_keeps_all_that_the_shop_said() -> None:
    said: Fields = {
        "category": "Home/Kitchen",
        "brand": "Acme",
        "description": "Boils water.",
        "price": 19.5,
        "currency": "EUR",
        "available": False,
        "attributes": {"color": "red", "sizes": [1, 2]},
        "updated_at": NOW,
    }
    outcome = decode_one(item("i1", title="Kettle", **said))
    assert outcome == Item("i1", "Kettle", **said)  # type: ignore[arg-type]  # the fields above by name


def test_only_id_and_title_are_required() -> None:
    assert decode_one({"item_id": "i1", "title": "Kettle"}) == Item("i1", "Kettle")
    assert Item("i1", "Kettle").available


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


@pytest.mark.parametrize("said", [{}, {"title": None}, {"title": " "}, {"price": 3}])
def test_what_is_not_available_needs_no_title(said: Fields) -> None:
    assert decode_one({"item_id": "i1", "available": False} | said) == Withdrawn("i1")


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
        (without(item(), "title"), Reason.MISSING_FIELD, "title"),
        (item(title=" \t"), Reason.MISSING_FIELD, "title"),
        ({"item_id": "i1", "available": True}, Reason.MISSING_FIELD, "title"),
        ({"item_id": "i1", "available": False, "price": -1}, Reason.INVALID_VALUE, "price"),
        (item(""), Reason.EMPTY_ID, "item_id"),
        (item(5), Reason.WRONG_TYPE, "item_id"),
        (item(title=5), Reason.WRONG_TYPE, "title"),
        (item(category=["Home"]), Reason.WRONG_TYPE, "category"),
        (item(price="9.99"), Reason.WRONG_TYPE, "price"),
        (item(price=-1), Reason.INVALID_VALUE, "price"),
        (item(available="yes"), Reason.WRONG_TYPE, "available"),
        (item(available=1), Reason.WRONG_TYPE, "available"),
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


def test_a_null_value_deletes_the_item_of_its_key() -> None:
    assert decode_items(deletion("é1".encode()), SETTINGS) == [Deleted("é1")]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, Reason.MISSING_FIELD),
        (b"", Reason.MISSING_FIELD),
        (b"\xff", Reason.INVALID_UTF8),
        (b"i" * 129, Reason.FIELD_TOO_LONG),
    ],
)
def test_a_deletion_needs_a_key(key: bytes | None, reason: Reason) -> None:
    [outcome] = decode_items(deletion(key), SETTINGS)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.key, outcome.value, outcome.offset) == (reason, key, None, 7)


def test_outcomes_stand_in_the_order_of_the_records() -> None:
    raw = batch(item("a"), None, b"{", item("b"), topic="items")
    kinds = [type(each) for each in decode_items(raw, SETTINGS)]
    assert kinds == [Item, Deleted, Rejected, Item]

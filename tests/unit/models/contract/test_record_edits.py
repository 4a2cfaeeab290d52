"""A quarantined record is mended field by field, from its original bytes."""

import pytest
from builders import NOW

from models.contract.event_codec import EventSettings
from models.contract.quarantined import Quarantined
from models.contract.record_edits import Divide, Drop, Edit, Put, Rename, Translate, mend
from models.contract.second_look import refused_now


def quarantined(value: bytes | None) -> Quarantined:
    return Quarantined("id", "wrong_type", "", "orders", 0, 3, NOW, b"u1", value)


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (Rename("sku", "item_id"), b'{"sku":"a"}', b'{"item_id":"a"}'),
        (Rename("sku", "item_id"), b'{"sku":"a","item_id":"b"}', b'{"sku":"a","item_id":"b"}'),
        (Put("currency", "EUR"), b'{"currency":"euro"}', b'{"currency":"EUR"}'),
        (Put("quantity", 1), b'{"quantity":true}', b'{"quantity":1}'),
        (Translate("quantity", True, 1), b'{"quantity":true}', b'{"quantity":1}'),
        (Translate("currency", "euro", "EUR"), b'{"currency":"euro"}', b'{"currency":"EUR"}'),
        (Translate("quantity", True, 1), b'{"quantity":1}', b'{"quantity":1}'),
        (Drop("price"), b'{"price":0,"item_id":"a"}', b'{"item_id":"a"}'),
        (Divide("ts", 1000), b'{"ts":1760000000000}', b'{"ts":1760000000.0}'),
        (Divide("ts", 1000), b'{"ts":"yesterday"}', b'{"ts":"yesterday"}'),
        (Divide("ts", 1e-300), b'{"ts":1e300}', b'{"ts":1e300}'),
    ],
)
def test_an_edit_changes_its_field_alone(edit: Edit, before: bytes, after: bytes) -> None:
    assert mend(quarantined(before), [edit]).value == after


@pytest.mark.parametrize("value", [None, b"", b"{", b"[1]", b'{ "price" : 1 }'])
def test_what_is_not_changed_stays_byte_for_byte(value: bytes | None) -> None:
    record = quarantined(value)
    assert mend(record, [Drop("currency")]) is record


def test_edits_are_made_in_their_order() -> None:
    edits: list[Edit] = [Rename("sku", "item_id"), Translate("item_id", "a", "b")]
    assert mend(quarantined(b'{"sku":"a"}'), edits).value == b'{"item_id":"b"}'


def test_a_mended_record_is_accepted() -> None:
    broken = quarantined(b'{"event_id":"e","user_id":"u1","sku":"a","ts":1760000000000,"price":0}')
    assert refused_now(broken, EventSettings(), NOW)
    mended = mend(broken, [Rename("sku", "item_id"), Divide("ts", 1000), Drop("price")])
    assert refused_now(mended, EventSettings(), NOW) == ""

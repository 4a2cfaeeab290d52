"""The key of a deletion: which item it names, also if a JSON converter wrote it."""

import pytest
from builders import batch

from models.contract.event_codec import EventSettings
from models.contract.events import RawBatch
from models.contract.item_codec import DecodedItem, Deleted, decode_items
from models.contract.outcome import Reason

SETTINGS = EventSettings()


def deletion(key: bytes | None) -> RawBatch:
    raw = batch(None, topic="items", first=7)
    raw.keys[0] = key
    return raw


@pytest.mark.parametrize(
    ("key", "item_id", "coerced"),
    [
        ("é1".encode(), "é1", ()),
        (b"42", "42", ()),
        (b"null", "null", ()),
        (b'6"-pipe', '6"-pipe', ()),
        (b"{3F2504E0-4F89}", "{3F2504E0-4F89}", ()),
        (b"[discontinued] 5", "[discontinued] 5", ()),
        (b'"sku-2"', "sku-2", ("key",)),
        (b' "sku-2"\n', "sku-2", ("key",)),
        (b'{"item_id":"sku-3"}', "sku-3", ("key",)),
        (b'{"item_id": 3, "shop": 1}', "3", ("key",)),
        (b'"\\"sku-2\\""', "sku-2", ("key",)),
        (b'"{\\"item_id\\": \\"sku-3\\"}"', "sku-3", ("key",)),
        (b'{"schema":{"type":"string","optional":false},"payload":"sku-4"}', "sku-4", ("key",)),
        (b'{"schema":{"type":"struct"},"payload":{"item_id":"sku-5"}}', "sku-5", ("key",)),
        (b'{"payload":6}', "6", ("key",)),
    ],
)
def test_a_null_value_deletes_the_item_that_its_key_names(key: bytes, item_id: str, coerced: tuple[str, ...]) -> None:
    assert decode_items(deletion(key), SETTINGS) == [DecodedItem(Deleted(item_id), coerced=coerced)]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, Reason.MISSING_FIELD),
        (b"", Reason.MISSING_FIELD),
        (b"\xff", Reason.INVALID_UTF8),
        (b"i" * 129, Reason.FIELD_TOO_LONG),
        (b'"' + b"i" * 129 + b'"', Reason.FIELD_TOO_LONG),
        (b'""', Reason.EMPTY_ID),
        (b'"sku-2', Reason.MALFORMED_JSON),
        (b'{"item_id": sku-3}', Reason.MALFORMED_JSON),
        (b'{"id": "sku-3"}', Reason.WRONG_TYPE),
        (b'{"item_id": null}', Reason.WRONG_TYPE),
        (b'{"item_id": true}', Reason.WRONG_TYPE),
        (b'{"schema":null,"payload":null}', Reason.WRONG_TYPE),
        (b'["sku-2"]', Reason.WRONG_TYPE),
        (b'{"payload":' * 500 + b"1" + b"}" * 500, Reason.WRONG_TYPE),
        (b"\x00\x00\x00\x00\x05\x0asku-2", Reason.INVALID_VALUE),
        (b"\x00\x00\x00\x2a", Reason.INVALID_VALUE),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_deletion_whose_key_names_no_item_is_quarantined(key: bytes | None, reason: Reason) -> None:
    [decoded] = decode_items(deletion(key), SETTINGS)
    assert decoded.change is None
    outcome = decoded.rejected
    assert outcome is not None
    assert (outcome.reason, outcome.key, outcome.value, outcome.offset) == (reason, key, None, 7)


def test_where_no_other_form_is_allowed_a_json_key_deletes_nothing() -> None:
    [decoded] = decode_items(deletion(b'"sku-2"'), EventSettings(strict=True))
    assert decoded.change is None
    assert decoded.rejected is not None
    assert decoded.rejected.reason is Reason.WRONG_TYPE

"""Records in envelopes: each kind is unwrapped, counted, and named where it cannot be."""

import base64

import orjson
import pytest
from builders import NOW, Fields, batch, event, item, without

from models.contract.envelope import open_record
from models.contract.event_codec import EventSettings, decode
from models.contract.events import Item, Kind
from models.contract.fields import Refused
from models.contract.item_codec import DecodedItem, Deleted, Withdrawn, decode_items
from models.contract.outcome import Reason

SETTINGS = EventSettings()
SOURCE: Fields = {"connector": "mysql", "db": "shop", "table": "items"}
DECIMAL = "org.apache.kafka.connect.data.Decimal"


def json(value: object) -> bytes:
    return orjson.dumps(value)


def connect(payload: object, schema: object = None) -> Fields:
    return {"schema": schema, "payload": payload}


def debezium(op: str, before: object, after: object) -> Fields:
    return {"before": before, "after": after, "source": SOURCE, "op": op, "ts_ms": int(NOW * 1000), "transaction": None}


def cloud_event(**said: object) -> Fields:
    return {"specversion": "1.0", "id": "ce-1", "source": "/shop", "type": "shop.view", **said}


def decode_item(value: Fields, key: bytes = b"i1") -> DecodedItem:
    raw = batch(value, topic="items")
    raw.keys[0] = key
    return decode_items(raw, SETTINGS)[0]


ENVELOPES = [
    json(connect(event())),
    json({"payload": event()}),
    json(connect(event(), {"type": "struct", "fields": [{"field": "ts", "type": "double"}]})),
    json(debezium("c", None, event())),
    json(debezium("u", event("old"), event())),
    json({"op": "r", "after": event()}),
    json(connect(debezium("c", None, event()))),
    json(debezium("c", None, json(event()).decode())),
    json(cloud_event(data=event(), datacontenttype="application/json")),
    json(cloud_event(data=json(event()).decode())),
    json(cloud_event(data_base64=base64.b64encode(json(event())).decode())),
    b"\0\0\0\0\x05" + json(event()),
    b"\0\0\0\x01\0" + json(connect(event())),
]


@pytest.mark.parametrize("value", ENVELOPES, ids=lambda value: repr(value)[:45])
def test_an_event_in_an_envelope_is_the_event_and_is_counted_once(value: bytes) -> None:
    decoded = decode(batch(value, event()), Kind.VIEW, SETTINGS)
    assert decoded.rejected == []
    enveloped, plain = decoded.accepted.events
    assert [getattr(enveloped, name) for name in event()] == [getattr(plain, name) for name in event()]
    assert decoded.coerced == {"envelope": 1}


@pytest.mark.parametrize("value", ENVELOPES, ids=lambda value: repr(value)[:45])
def test_where_no_other_form_is_allowed_an_envelope_is_refused(value: bytes) -> None:
    [rejected] = decode(batch(value), Kind.VIEW, EventSettings(strict=True)).rejected
    assert (rejected.reason, rejected.value) == (Reason.WRONG_TYPE, value)
    assert "envelope" in rejected.detail


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"\0\0\0\x01\x02\x06abc", "schema 258"),
        (b"\0\0\0\0\x07\0\x0a\x03abc", "Avro or Protobuf"),
        (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd"),
        (b"\xac\xed\0\x05sr", "Java"),
        (json(connect([event()])), "a Kafka Connect envelope"),
        (json(connect("no JSON")), "a Kafka Connect envelope"),
        (json(debezium("c", None, None)), "a Debezium envelope"),
        (json(debezium("t", None, None)), "a Debezium envelope with op 't'"),
        (json(cloud_event()), "a CloudEvents envelope"),
        (json(cloud_event(data_base64="////")), "a CloudEvents envelope"),
        (json(cloud_event(data="<event/>", datacontenttype="text/xml")), "a CloudEvents envelope"),
    ],
    ids=lambda value: repr(value)[:45],
)
def test_what_cannot_be_unwrapped_names_the_envelope(value: bytes, detail: str) -> None:
    [rejected] = decode(batch(value), Kind.VIEW, SETTINGS).rejected
    assert detail in rejected.detail
    assert rejected.value == value


@pytest.mark.parametrize(
    "value", [connect(None), debezium("d", event(), None), event(__deleted="true")], ids=lambda value: repr(value)[:40]
)
def test_an_event_is_not_deleted(value: Fields) -> None:
    [rejected] = decode(batch(value), Kind.VIEW, SETTINGS).rejected
    assert rejected.reason is Reason.NULL_VALUE


def test_what_is_wrong_with_an_event_in_an_envelope_is_said_as_of_any_other() -> None:
    [rejected] = decode(batch(connect(without(event(), "item_id"))), Kind.VIEW, SETTINGS).rejected
    assert (rejected.reason, rejected.detail) == (Reason.MISSING_FIELD, "item_id is missing")


@pytest.mark.parametrize(
    "said",
    [
        {"payload": {"a": 1}, "schema": "s"},
        {"op": "c", "after": {"a": 1}},
        {"__deleted": "false"},
        {"specversion": "1.0", "id": "x", "source": "s", "type": "t"},
    ],
    ids=sorted,
)
def test_an_event_with_unknown_fields_of_such_names_is_in_no_envelope(said: Fields) -> None:
    decoded = decode(batch(event(**said)), Kind.VIEW, SETTINGS)
    assert (len(decoded.accepted), decoded.coerced) == (1, {})


def test_a_cloud_event_identifies_and_dates_an_event_that_does_not_do_so_itself() -> None:
    bare = without(event(), "event_id", "ts")
    sent = [cloud_event(data=bare, time="2025-10-09T08:53:20Z"), cloud_event(data=event(), time="2025-10-09T08:00:00Z")]
    first, second = decode(batch(*sent), Kind.VIEW, SETTINGS).accepted.events
    assert (first.event_id, first.ts) == ("ce-1", NOW)
    assert (second.event_id, second.ts) == ("e1", NOW)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        (connect(item("i1", title="Mug")), Item("i1", "Mug")),
        (debezium("u", item("i1", title="Cup"), item("i1", title="Mug")), Item("i1", "Mug")),
        (debezium("d", item("i7"), None), Deleted("i7")),
        (debezium("d", {"item_id": 7}, None), Deleted("7")),
        (debezium("d", None, None), Deleted("i1")),
        (connect(debezium("d", {"id": 5}, None)), Deleted("i1")),
        (connect(None), Deleted("i1")),
        (cloud_event(data=item("i1", title="Mug")), Item("i1", "Mug")),
        (item("i7", title="Mug", __deleted="true"), Deleted("i7")),
        (connect(item("i7", title="Mug", __deleted="true")), Deleted("i7")),
    ],
    ids=lambda value: repr(value)[:45],
)
def test_an_item_in_an_envelope_is_kept_or_deleted(value: Fields, change: object) -> None:
    decoded = decode_item(value)
    assert (decoded.change, decoded.rejected, decoded.coerced) == (change, None, ("envelope",))


def test_a_deletion_in_an_envelope_reads_the_key_as_any_other() -> None:
    assert decode_item(connect(None), b'{"item_id":"i3"}').change == Deleted("i3")
    refused = decode_item(debezium("d", {"item_id": ""}, None))
    assert refused.change is None
    assert refused.rejected is not None


def test_a_sold_out_notice_in_an_envelope_is_obeyed_though_another_field_is_broken() -> None:
    decoded = decode_item(debezium("u", None, item("i1", available=0, price="9,50")))
    assert decoded.change == Withdrawn("i1")
    assert decoded.rejected is not None


def spec(name: str, kind: str, logical: str, **parameters: object) -> Fields:
    return {"field": name, "type": kind, "name": logical, "parameters": parameters}


@pytest.mark.parametrize(
    ("sent", "logical"),
    [
        (int(NOW * 1e3), "io.debezium.time.Timestamp"),
        (int(NOW * 1e6), "io.debezium.time.MicroTimestamp"),
        (int(NOW) * 10**9, "io.debezium.time.NanoTimestamp"),
        (int(NOW * 1e3), "org.apache.kafka.connect.data.Timestamp"),
        ("2025-10-09T08:53:20Z", "io.debezium.time.ZonedTimestamp"),
    ],
)
def test_times_and_decimals_are_read_by_the_schema_beside_them(sent: object, logical: str) -> None:
    fields = [spec("price", "bytes", DECIMAL, scale="2"), spec("updated_at", "int64", logical)]
    row = item("i1", title="Mug", price="BNI=", updated_at=sent)
    flat = connect(row, {"type": "struct", "fields": fields})
    nested = {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": fields}]}
    for value in (flat, connect(debezium("u", None, row), nested)):
        assert decode_item(value).change == Item("i1", "Mug", price=12.34, updated_at=NOW)


@pytest.mark.parametrize("parameters", [{}, {"scale": "x"}, {"scale": "-2"}, {"scale": "999"}, {"scale": ["2"]}])
def test_a_decimal_without_a_scale_stays_what_it_is(parameters: Fields) -> None:
    decoded = decode_item(connect(item(price="BNI="), {"fields": [spec("price", "bytes", DECIMAL, **parameters)]}))
    assert decoded.rejected is not None
    assert "price" in decoded.rejected.detail


def test_envelopes_in_envelopes_are_opened_up_to_a_limit() -> None:
    value = event()
    for _ in range(6):
        value = connect(value)
    assert open_record(json(value), 10_000).fields == event()
    [rejected] = decode(batch(connect(value)), Kind.VIEW, SETTINGS).rejected
    assert rejected.detail == "event_id is missing"


def test_the_limit_on_size_counts_without_the_prefix() -> None:
    value = json(event())
    assert open_record(b"\0\0\0\0\x01" + value, len(value)).enveloped
    with pytest.raises(Refused):
        open_record(b"\0\0\0\0\x01" + value, len(value) - 1)

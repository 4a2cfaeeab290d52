"""Take a record out of the envelope in which a connector or a framework sent it.

Unwraps Debezium, Kafka Connect's JSON with schema, CloudEvents, and the prefix that serializers of
a schema registry write before JSON. What cannot be unwrapped is named in the detail.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from models.contract.connect_schema import field_schemas, plain_fields
from models.contract.fields import Refused, parse_object
from models.contract.outcome import Reason

ENVELOPE = "envelope"  # the name under which its use is counted
MOST_LAYERS = 6
# Magic byte 0 and a schema's number of four bytes; see the wire format of Confluent's serializers.
REGISTRY_PREFIX = 5
CLOUD_EVENT = {"specversion", "id", "source", "type"}
DEBEZIUM_WRITES, DEBEZIUM_DELETES = ("c", "r", "u"), "d"
BINARY = {
    b"Obj\x01": "an Avro file",
    b"\x1f\x8b": "bytes that the producer's program compressed with gzip",
    b"\x28\xb5\x2f\xfd": "bytes that the producer's program compressed with zstd",
    b"\xac\xed\x00\x05": "an object that Java serialized",
}
DELETED = "__deleted"  # what Debezium's ExtractNewRecordState adds to the last version of a row
WAY_OUT = "send plain JSON"


class Opened(NamedTuple):
    """The fields of a record; those of a deletion are the last ones known, or None.

    `enveloped` is False for a record that was sent without any envelope.
    """

    fields: dict[str, Any] | None
    is_deletion: bool = False
    enveloped: bool = False


class _Layer(NamedTuple):
    """What is in an envelope: an object, None, or JSON in a text; and its Connect schema."""

    content: object
    schema: object = None
    is_deletion: bool = False
    name: str = ""


def open_record(value: bytes | None, max_bytes: int) -> Opened:
    """Return the record in a value, unwrapped as often as needed. Raises Refused if there is none.

    >>> open_record(b'{"schema":null,"payload":{"item_id":"i1"}}', 100).fields
    {'item_id': 'i1'}
    """
    parsed, prefixed = _parse(value, max_bytes)
    layer, depth = _Layer(parsed), 0
    while depth < MOST_LAYERS and (inner := _unwrap(layer)) is not None:
        layer, depth = inner, depth + 1
    if depth == 0:
        return Opened(parsed, _is_marked(parsed), prefixed or _is_marked(parsed))
    if type(layer.content) is not dict:
        if layer.content is None and layer.is_deletion:
            return Opened(None, is_deletion=True, enveloped=True)
        raise Refused(Reason.NOT_AN_OBJECT, f"{layer.name} without an object in it; {WAY_OUT}")
    is_deletion = layer.is_deletion or _is_marked(layer.content)
    return Opened(plain_fields(layer.content, layer.schema), is_deletion, enveloped=True)


def _is_marked(fields: Mapping[str, Any]) -> bool:
    return fields.get(DELETED) in ("true", True)


def _parse(value: bytes | None, max_bytes: int) -> tuple[dict[str, Any], bool]:
    """Return the JSON object, and whether a prefix of a schema registry was before it."""
    if value and value[0] == 0 and len(value) > REGISTRY_PREFIX:
        number, rest = int.from_bytes(value[1:REGISTRY_PREFIX]), value[REGISTRY_PREFIX:]
        if rest.lstrip()[:1] != b"{":
            detail = f"Avro or Protobuf by a schema registry (schema {number}): {WAY_OUT}, or JSON by the registry"
            raise Refused(Reason.MALFORMED_JSON, detail)
        return parse_object(rest, max_bytes), True
    for start, name in BINARY.items():
        if value and value.startswith(start):
            raise Refused(Reason.MALFORMED_JSON, f"{name}; {WAY_OUT}")
    return parse_object(value, max_bytes), False


def _unwrap(layer: _Layer) -> _Layer | None:
    """Return what is in the envelope; None if this is none."""
    match layer.content:
        case {"payload": inner, **rest} if rest.keys() <= {"schema"}:
            name = "a Kafka Connect envelope"
            return _Layer(_content(inner, name), rest.get("schema"), layer.is_deletion or inner is None, name)
        case {"op": str(op), **rest} if ("after" in rest or "before" in rest) and "item_id" not in rest:
            return _debezium(op, rest, layer.schema)
        case dict() as event if event.keys() >= CLOUD_EVENT and "item_id" not in event:
            return _cloud_event(event)
    return None


def _debezium(op: str, rest: Mapping[Any, Any], schema: object) -> _Layer:
    name = "a Debezium envelope"
    if op in DEBEZIUM_WRITES:
        return _Layer(_content(rest.get("after"), name), field_schemas(schema).get("after"), name=name)
    if op == DEBEZIUM_DELETES:
        return _Layer(
            _content(rest.get("before"), name), field_schemas(schema).get("before"), is_deletion=True, name=name
        )
    raise Refused(Reason.INVALID_VALUE, f"a Debezium envelope with op {op[:10]!r}, which is about no single row")


def _cloud_event(event: dict[str, Any]) -> _Layer:
    name = "a CloudEvents envelope"
    data = _content(event.get("data"), name)
    if data is None and isinstance(event.get("data_base64"), str):
        try:
            data = _content(base64.b64decode(event["data_base64"], validate=True).decode(), name)
        except (binascii.Error, ValueError):
            raise Refused(Reason.MALFORMED_JSON, f"{name} whose data_base64 is not JSON; {WAY_OUT}") from None
    if type(data) is dict:
        # The envelope identifies and dates what it carries.
        dated = {"ts": event["time"]} if isinstance(event.get("time"), str) else {}
        data = {"event_id": event["id"], **dated, **data} if "user_id" in data or "session_id" in data else data
    return _Layer(data, name=name)


def _content(content: object, name: str) -> object:
    """Return the JSON in a text, as MongoDB's connector writes it, and anything else unchanged."""
    if type(content) is not str:
        return content
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Refused(Reason.MALFORMED_JSON, f"{name} around a text that is not JSON; {WAY_OUT}") from None

"""Read fields of Kafka Connect's JSON by the schema that is sent with them.

Without the schema a DECIMAL is a text of base64 and a TIMESTAMP a number of unknown unit. See
"Debezium connector, data types" and org.apache.kafka.connect.data.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

DECIMAL = "org.apache.kafka.connect.data.Decimal"
# How many of each unit are a second.
TIMES = {
    "org.apache.kafka.connect.data.Timestamp": 1e3,
    "io.debezium.time.Timestamp": 1e3,
    "io.debezium.time.MicroTimestamp": 1e6,
    "io.debezium.time.NanoTimestamp": 1e9,
}


def field_schemas(schema: object) -> dict[str, object]:
    """Return the schema of each field of an object, as far as they are known."""
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    found: dict[str, object] = {}
    for each in fields if isinstance(fields, list) else ():
        if isinstance(each, Mapping) and isinstance(name := each.get("field"), str):
            found.setdefault(name, each)
    return found


def plain_fields(fields: dict[str, Any], schema: object) -> dict[str, Any]:
    """Return the object with times in seconds and decimals as numbers, as far as the schema
    says.
    """
    schemas = field_schemas(schema)
    return {name: _plain(value, schemas.get(name)) for name, value in fields.items()} if schemas else fields


def _plain(value: Any, schema: object) -> Any:
    if not isinstance(schema, Mapping):
        return value
    kind = schema.get("name")
    if type(value) is int and isinstance(kind, str) and kind in TIMES:
        return value / TIMES[kind]
    if type(value) is str and kind == DECIMAL:
        return _decimal(value, schema.get("parameters"))
    return value


def _decimal(value: str, parameters: object) -> float | str:
    """Return the number whose unscaled bytes are in base64; the text itself if they are not."""
    stated = parameters.get("scale") if isinstance(parameters, Mapping) else None
    scale = str(stated) if type(stated) in (str, int) else ""
    if not (scale.isascii() and scale.isdigit() and len(scale) < 3):
        return value
    try:
        unscaled = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    return int.from_bytes(unscaled, signed=True) / 10 ** int(scale) if 0 < len(unscaled) <= 16 else value

"""Find the item that the key of a record names, also if a JSON converter wrote the key."""

import orjson

from models.contract.fields import Refused, string
from models.contract.outcome import Reason

JSON_STARTS = ('"', "{", "[")
ENVELOPE = {"schema"}  # what Kafka Connect's JsonConverter writes beside the payload
MOST_LAYERS = 6
WAY_OUT = "write the item id itself as the key"


def item_of_key(key: bytes | None) -> str:
    """Return the id in a record's key: the key itself, or the id in the JSON that the key is.

    Reads JSON that is a text or a whole number, the field `item_id` of an object, or the payload of
    a Connect envelope. Raises Refused for any other JSON, so that no item is invented.

    >>> item_of_key(b'"sku-2"'), item_of_key(b'{"item_id":"sku-3"}'), item_of_key(b"{3F25-04E0}")
    ('sku-2', 'sku-3', '{3F25-04E0}')
    """
    value: object = _text(key)
    for _ in range(MOST_LAYERS):
        match value:
            case {"payload": inner, **rest} if rest.keys() <= ENVELOPE:
                value = inner
            case {"item_id": inner}:
                value = inner
            case bool():
                break
            case int():
                return str(value)
            case str() if (parsed := _parsed(value)) != value:
                value = parsed
            case "":
                raise Refused(Reason.EMPTY_ID, f"the id in the key is empty; {WAY_OUT}")
            case str():
                return string("key", value)
            case _:
                break
    raise Refused(Reason.WRONG_TYPE, f"the key is JSON that names no item_id; {WAY_OUT}")


def _text(key: bytes | None) -> str:
    if not key:
        raise Refused(Reason.MISSING_FIELD, "a deletion without a key")
    try:
        text = key.decode()
    except UnicodeDecodeError:
        raise Refused(Reason.INVALID_UTF8, "the key is not UTF-8") from None
    if "\0" in text:
        raise Refused(Reason.INVALID_VALUE, f"the key is binary, as serializers of numbers or Avro write it; {WAY_OUT}")
    return text


def _parsed(text: str) -> object:
    """Return the JSON in the text, or the text itself if it is none, such as an id in braces."""
    if not text.lstrip().startswith(JSON_STARTS):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if '"' not in text:
            return text
        raise Refused(Reason.MALFORMED_JSON, f"the key looks like JSON, but is none: {error}; {WAY_OUT}") from None

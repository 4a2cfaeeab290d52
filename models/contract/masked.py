"""Shows records that hold ids of people with pseudonyms in their place.

The ids are those of the fields `user_id` and `session_id`, at any depth, and the key of a record of
events. They are replaced wherever they stand alone in the record. What does not begin like JSON may
hold an id anywhere, so it is not shown at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from models.contract.events import GUEST_PREFIX

USER, SESSION = "user_id", "session_id"
BROKEN_FIELD = re.compile(r'("(user_id|session_id)"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}\]\s"]+)')
SHOWN = 2_000  # characters of a value
DEEPEST = 20  # levels of arrays and objects that are shown
TOO_DEEP = "…"

Named = Callable[[str], str]


def shown_value(value: bytes | None, user_key: bytes | None, named: Named) -> str | None:
    """Return the first 2,000 characters of a value, with pseudonyms in place of ids of people.

    Returns None for no value, and for one that does not begin like JSON. `user_key` is the record's
    key if it names a user. `named` gives the pseudonym of an id.
    """
    if value is None or value.lstrip()[:1] not in (b"{", b"["):
        return None
    ids = {_text(user_key): named(_text(user_key))} if user_key else {}
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return _in_broken(value.decode(errors="replace"), ids, named)[:SHOWN]
    ids |= {given: named(user) for given, user in _people(parsed, 0)}
    return orjson.dumps(_replaced(parsed, ids, 0)).decode()[:SHOWN]


def shown_key(key: bytes | None, *, names_user: bool, named: Named) -> str | None:
    """Return a record's key, or the pseudonym of the user whom it names."""
    if key is None:
        return None
    return named(_text(key)) if names_user else _text(key)


def _people(node: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield each id of a person as it is written, and the user whom it names."""
    if depth > DEEPEST:
        return
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name in (USER, SESSION) and isinstance(value, str | int | float):
                yield str(value), _user(name, str(value))
            else:
                yield from _people(value, depth + 1)
    elif isinstance(node, list):
        for each in node:
            yield from _people(each, depth + 1)


def _replaced(node: Any, ids: Mapping[str, str], depth: int) -> Any:
    if isinstance(node, Mapping | list) and depth > DEEPEST:
        return TOO_DEEP
    if isinstance(node, Mapping):
        return {name: _field(name, value, ids, depth) for name, value in node.items()}
    if isinstance(node, list):
        return [_replaced(each, ids, depth + 1) for each in node]
    return ids.get(node, node) if isinstance(node, str) else node


def _field(name: str, value: Any, ids: Mapping[str, str], depth: int) -> Any:
    if name in (USER, SESSION) and isinstance(value, str | int | float):
        return ids[str(value)]
    return _replaced(value, ids, depth + 1)


def _in_broken(text: str, ids: Mapping[str, str], named: Named) -> str:
    """Replace the ids in a text that is not quite JSON."""
    found = {match[3].strip('"'): named(_user(match[2], match[3].strip('"'))) for match in BROKEN_FIELD.finditer(text)}
    text = BROKEN_FIELD.sub(lambda match: f'{match[1]}"{found[match[3].strip(chr(34))]}"', text)
    for given, name in {**ids, **found}.items():
        text = text.replace(f'"{given}"', f'"{name}"')
    return text


def _user(field: str, value: str) -> str:
    """Return the user whom a field names; a session alone is a guest."""
    return value if field == USER else GUEST_PREFIX + value.removeprefix(GUEST_PREFIX)


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")

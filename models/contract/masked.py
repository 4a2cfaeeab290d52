"""Shows records that hold ids of people with pseudonyms in their place.

The ids are all that is below fields such as `user_id` and `session_id`, at any depth and also in
JSON within a text, and the key of a record of events. They are replaced wherever they are in the
record. What is not understood may hold an id anywhere, so it is not shown at all.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from models.contract.events import GUEST_PREFIX
from models.contract.persons import (
    PLAIN_NAMES,
    Inner,
    NotUnderstoodError,
    names_person,
    people,
    read_tree,
    scalars,
    user_in,
    written_forms,
)

SHOWN = 2_000  # characters of a value
MOST_BYTES = 1 << 20
MOST_IDS = 16  # different texts that name people, in one record
SHORT = 4  # an id of fewer characters is looked for as a word only, as it may be a part of any word
WORDS = re.compile(r"[^\W_]+")
REGISTRY_PREFIX = 5  # byte 0 and a schema's number, as in `models.contract.envelope`

Named = Callable[[str], str]


def shown_value(value: bytes | None, user_key: bytes | None, named: Named) -> str | None:
    """Return the first 2,000 characters of `masked_json`."""
    shown = masked_json(value, user_key, named)
    return None if shown is None else shown[:SHOWN]


def masked_json(value: bytes | None, user_key: bytes | None, named: Named) -> str | None:
    """Return a value with pseudonyms in place of ids of people, as compact JSON.

    Returns None for no value, and for one that is not understood: no JSON in UTF-8, more than 1 MiB
    or 16 ids, or what `read_tree` does not read. `user_key` is the record's key if it names a user.
    `named` gives the pseudonym of an id.
    """
    if value is None or len(value) > MOST_BYTES:
        return None
    value = value[REGISTRY_PREFIX:] if value[:1] == b"\0" else value
    if value.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        tree = read_tree(value.decode())
        masking = _Masking({**_of_key(user_key), **dict(people(tree))}, named)
        shown = _dumped(masking.tree(tree))
        shown.encode()  # half a surrogate pair is no text
    except (NotUnderstoodError, UnicodeError):
        return None
    return shown


def shown_key(key: bytes | None, *, names_user: bool, named: Named) -> str | None:
    """Return a record's key, or the pseudonym of the user whom it names. An empty key stays."""
    if key is None:
        return None
    return named(_text(key)) if names_user and key else _text(key)


def _of_key(key: bytes | None) -> dict[str, str]:
    """Return the ids in a record's key, which may be JSON, and the users whom they name."""
    if not key:
        return {}
    text = _text(key)
    try:
        tree = read_tree(text)
    except NotUnderstoodError:
        return {text: text}
    return {each: each for each in (text, *scalars(tree))} | dict(people(tree))


class _Masking:
    """Replaces ids: `users` names the user of each text that is one."""

    def __init__(self, users: Mapping[str, str], named: Named) -> None:
        bare = {text.removeprefix(GUEST_PREFIX): user for text, user in users.items()}
        self._users = {text: user for text, user in (bare | dict(users)).items() if text.strip()}
        if len(self._users) > MOST_IDS:
            raise NotUnderstoodError("too many ids")
        self._named = named
        self._words = {text for text in self._users if len(text) < SHORT and WORDS.fullmatch(text)}
        self._parts = [text for text in self._users if text not in self._words]

    def tree(self, node: Any) -> Any:
        """Return a part of a record without ids."""
        if isinstance(node, Inner):
            return _written(node, self.tree(node.content))
        if isinstance(node, dict):
            return {self._text(name): self._field(name, value) for name, value in node.items()}
        if isinstance(node, list):
            return [self.tree(each) for each in node]
        if isinstance(node, str):
            return self._text(node)
        return self._number(node) if isinstance(node, int | float) and not isinstance(node, bool) else node

    def _field(self, name: str, value: Any) -> Any:
        return self._person(name, value) if names_person(name) else self.tree(value)

    def _person(self, field: str, node: Any) -> Any:
        """Return what is below a field of a person: pseudonyms, but for nothing and empty texts."""
        if isinstance(node, dict):
            return {self._below(field, name): self._person(field, value) for name, value in node.items()}
        if isinstance(node, list):
            return [self._person(field, each) for each in node]
        text = node.text if isinstance(node, Inner) else str(node)
        return node if node is None or node == "" else self._named(user_in(field, text))

    def _below(self, field: str, name: str) -> str:
        return name if name in PLAIN_NAMES and name not in self._users else self._named(user_in(field, name))

    def _text(self, text: str) -> str:
        """Return a text, or the pseudonym of the id in it in place of the whole."""
        found = next((each for each in self._parts if each in text), None)
        if found is None and self._words:
            found = next((each for each in WORDS.findall(text) if each in self._words), None)
        return text if found is None else self._named(self._users[found])

    def _number(self, number: float) -> Any:
        for form in written_forms(number):
            if form in self._words:
                return self._named(self._users[form])
            for each in self._parts:
                if each in form:
                    return self._named(self._users[each])
        return number


def _written(inner: Inner, masked: Any) -> str:
    text = _dumped(masked)
    return base64.b64encode(text.encode()).decode() if inner.is_base64 else text


def _dumped(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def _text(key: bytes) -> str:
    return key.decode(errors="replace")

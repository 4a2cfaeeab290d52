"""Finds ids of people in a record: the fields that hold them, also in JSON within a text."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from models.contract.events import GUEST_PREFIX

DEEPEST = 20  # levels of arrays, objects and texts with JSON in them
MOST_VALUES = 10_000  # values and names of a record
NAMES = ("userid", "sessionid")
WHOLE_NAMES = ("user", "session")
# Names below a field of a person that say what a value is, and not who it is.
PLAIN_NAMES = frozenset(("id", "value", "type", "string", "int", "long", "uuid", "$oid", "$numberLong"))
IN_BASE64 = "data_base64"  # the field of CloudEvents
NO_LETTER = re.compile(r"[\W_]+")
TELLS_OF_PERSON = re.compile(r"(?:user|session)[\W_]*id", re.IGNORECASE)
ONE_WORD = re.compile(r"[\w.$-]{1,64}")
JSON_BEGINS = ("{", "[", '"')
BASE64_BEGINS = ("e", "W")  # { and [ in base64


class NotUnderstoodError(ValueError):
    """The record may hold ids of people where nobody can find them."""


class Inner(NamedTuple):
    """JSON in a text: the text, what is in it, and whether it is in base64."""

    text: str
    content: Any
    is_base64: bool = False


class Decimal(float):
    """A number with a point or an exponent, as it was written."""

    written: str

    @classmethod
    def read(cls, text: str) -> "Decimal":
        """Return the number. Raises NotUnderstoodError for one that no float holds."""
        number = cls(text)
        number.written = text
        if number in (float("inf"), float("-inf")):
            raise NotUnderstoodError(text[:20])
        return number


def names_person(name: str) -> bool:
    """Return whether a field of this name holds an id of a user or of a session.

    >>> names_person("userID"), names_person("x-session-id"), names_person("item_id")
    (True, True, False)
    """
    plain = NO_LETTER.sub("", name).lower()
    return plain in WHOLE_NAMES or any(each in plain for each in NAMES)


def user_in(name: str, text: str) -> str:
    """Return the user whom a field names; a session alone is a guest."""
    return GUEST_PREFIX + text.removeprefix(GUEST_PREFIX) if "session" in name.lower() else text


def read_tree(text: str) -> Any:
    """Return JSON with each text that holds JSON as Inner.

    Raises NotUnderstoodError for what is no JSON, has a name twice, is deeper than 20 levels, has
    more than 10,000 values, or has a text about a user's id that is no JSON.
    """
    try:
        return _Reading().tree(_parsed(text), 0)
    except ValueError as error:
        raise NotUnderstoodError("no JSON") from error


def written_forms(number: float) -> set[str]:
    """Return the texts that a number may be written as.

    >>> sorted(written_forms(Decimal.read("4.20e1")))
    ['4.20e1', '42', '42.0']
    """
    forms = {str(number)}
    if isinstance(number, Decimal):
        forms.add(number.written)
    if isinstance(number, float) and number.is_integer():
        forms.add(str(int(number)))
    return forms


def scalars(tree: Any) -> Iterator[str]:
    """Yield all that a value below a field of a person may say of who it is."""
    if isinstance(tree, Inner):
        yield tree.text
        yield from scalars(tree.content)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            if name not in PLAIN_NAMES:
                yield name
            yield from scalars(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from scalars(each)
    elif isinstance(tree, str):
        yield tree
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield from written_forms(tree)


def people(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield each id of a person as it is written, and the user whom it names."""
    if isinstance(tree, Inner):
        yield from people(tree.content)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            if names_person(name):
                yield from ((each, user_in(name, each)) for each in scalars(value))
            else:
                yield from people(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from people(each)


class _Reading:
    """Counts the values of a record while its texts are opened."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def tree(self, node: Any, depth: int) -> Any:
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise NotUnderstoodError("too deep, or too many values")
        if isinstance(node, dict):
            return {_known(name): self._field(name, value, depth + 1) for name, value in node.items()}
        if isinstance(node, list):
            return [self.tree(each, depth + 1) for each in node]
        return self._text(node, depth + 1) if isinstance(node, str) else node

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if name != IN_BASE64 or not isinstance(value, str):
            return self.tree(value, depth)
        if (found := _in_base64(value)) is None:
            raise NotUnderstoodError("base64 without JSON in it")
        return Inner(value, self.tree(found, depth), is_base64=True)

    def _text(self, text: str, depth: int) -> Any:
        if text.lstrip()[:1] in JSON_BEGINS and (found := _json_in(text)) is not None:
            return Inner(text, self.tree(found, depth))
        if text[:1] in BASE64_BEGINS and (found := _in_base64(text)) is not None:
            return Inner(text, self.tree(found, depth), is_base64=True)
        return _known(text)


def _known(text: str) -> str:
    """Return a text that is no JSON, such as a name, if it does not tell of a person's id."""
    if TELLS_OF_PERSON.search(text) and not ONE_WORD.fullmatch(text):
        raise NotUnderstoodError("a text that tells of a person's id")
    return text


def _in_base64(text: str) -> Any:
    try:
        return _json_in(base64.b64decode(text, validate=True).decode())
    except ValueError as error:
        if isinstance(error, NotUnderstoodError):
            raise
        return None


def _json_in(text: str) -> Any:
    """Return the array, object or text that is JSON in a text; None if there is none."""
    try:
        found = _parsed(text)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict | list | str) else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_float=Decimal.read, parse_constant=_refuse)
    except RecursionError:
        raise NotUnderstoodError("too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotUnderstoodError("a name twice in an object")
    return found


def _refuse(text: str) -> None:
    raise NotUnderstoodError(f"{text} is no number of JSON")

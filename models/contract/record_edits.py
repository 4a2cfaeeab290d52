"""Mends quarantined records: a mapping or an edit of their fields, made from the original bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from models.contract.quarantined import Quarantined


@dataclass(frozen=True, slots=True)
class Rename:
    """Moves a value to another field; one that is there already is left alone."""

    old: str
    new: str

    def apply(self, fields: dict[str, Any]) -> None:
        """Change the fields in place."""
        if self.old in fields and fields.get(self.new) is None:
            fields[self.new] = fields.pop(self.old)


@dataclass(frozen=True, slots=True)
class Put:
    """Gives a field a value, whatever it was."""

    field: str
    value: Any

    def apply(self, fields: dict[str, Any]) -> None:
        """Change the fields in place."""
        fields[self.field] = self.value


@dataclass(frozen=True, slots=True)
class Translate:
    """Replaces one value of a field by another; other values stay."""

    field: str
    old: Any
    new: Any

    def apply(self, fields: dict[str, Any]) -> None:
        """Change the fields in place."""
        value = fields.get(self.field)
        if self.field in fields and (type(value), value) == (type(self.old), self.old):
            fields[self.field] = self.new


@dataclass(frozen=True, slots=True)
class Drop:
    """Removes a field."""

    field: str

    def apply(self, fields: dict[str, Any]) -> None:
        """Change the fields in place."""
        fields.pop(self.field, None)


@dataclass(frozen=True, slots=True)
class Divide:
    """Divides a number, such as a time in milliseconds by 1000. What is no number stays."""

    field: str
    divisor: float

    def apply(self, fields: dict[str, Any]) -> None:
        """Change the fields in place."""
        value = fields.get(self.field)
        if isinstance(value, int | float) and type(value) is not bool and math.isfinite(value / self.divisor):
            fields[self.field] = value / self.divisor


Edit = Rename | Put | Translate | Drop | Divide


def mend(record: Quarantined, edits: Sequence[Edit]) -> Quarantined:
    """Return the record with the edits made, in their order, to the fields of its JSON object.

    A value that is no JSON object, or that the edits do not change, stays byte for byte.
    """
    try:
        fields = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return record
    if not isinstance(fields, dict):
        return record
    mended = dict(fields)
    for edit in edits:
        edit.apply(mended)
    value = orjson.dumps(mended)
    # As JSON, because true, 1 and 1.0 are equal in Python.
    return record if value == orjson.dumps(fields) else replace(record, value=value)

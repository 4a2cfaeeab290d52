"""What the user says about a file that is not in a known shape: columns, kinds, times, text.

It can be saved in a TOML file, and named by it.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from app.datasets.encoding import checked
from app.datasets.moments import AUTO, UNITS, zone_of
from app.errors import HeadraceError
from models.contract.events import KIND_OF_LABEL

EVENT_TEXTS = ("event_id", "user_id", "session_id", "item_id", "request_id", "surface", "currency")
EVENT_NUMBERS = ("price", "quantity", "position", "rating")
EVENT_FIELDS = (*EVENT_TEXTS, "ts", *EVENT_NUMBERS, "kind", "cancelled_at")
ITEM_FIELDS = (
    "item_id", "title", "category", "brand", "description", "price", "currency", "available", "attributes",
    "updated_at", "url", "image_url",
)  # fmt: skip
KINDS = (*KIND_OF_LABEL, "fav", "rating")
SKIP = "skip"


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How files are to be read, beyond what they tell themselves.

    `columns` names the column of a field of the contract; an empty name says that there is none.
    `kinds` translates words of the file into kinds, or into `skip` for rows to leave out. `kind` is
    the kind of all rows. An empty text leaves the choice to the file.
    """

    format: str = AUTO
    columns: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    time_unit: str = ""
    time_zone: str = ""
    time_format: str = ""
    encoding: str = ""
    separator: str = ""
    decimal: str = "."

    @property
    def says_nothing_of_rows(self) -> bool:
        """Whether rows that are in the contract's form already may be sent unchanged."""
        times = self.time_unit or self.time_zone or self.time_format
        return not (self.columns or self.kinds or self.kind or times) and self.decimal == "."

    def validated(self, formats: tuple[str, ...]) -> "FileMapping":
        """Return the mapping. Raises HeadraceError when a part of it makes no sense."""
        _choose("format", self.format, (AUTO, *formats))
        for name in self.columns:
            _choose("field of --map", name, tuple(dict.fromkeys((*EVENT_FIELDS, *ITEM_FIELDS))))
        for kind in (*self.kinds.values(), *filter(None, [self.kind])):
            _choose("kind", kind, (*KINDS, SKIP))
        _choose("time unit", self.time_unit or AUTO, (AUTO, *UNITS))
        _choose("decimal mark", self.decimal, (".", ","))
        if self.encoding:
            checked(self.encoding)
        if len(self.separator) > 1:
            raise HeadraceError(f"separator {self.separator!r}: one character, or \\t for a tab")
        if self.time_zone:
            try:
                zone_of(self.time_zone)
            except ValueError as error:
                raise HeadraceError(str(error)) from error
        return self

    def saved(self) -> str:
        """Return the mapping as TOML, without what was not said."""
        plain, tables = [], []
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Mapping):
                if value:
                    tables += ["", f"[{each.name}]", *(f"{_toml(key)} = {_toml(to)}" for key, to in value.items())]
            elif value != each.default:
                plain.append(f"{each.name} = {_toml(value)}")
        return "\n".join([*plain, *tables, ""])


NO_MAPPING = FileMapping()


def load_mapping(path: Path) -> FileMapping:
    """Read a mapping from a TOML file. Raises HeadraceError when it is not one."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HeadraceError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HeadraceError(f"{path} is not a mapping in TOML: {error}") from error
    known = {each.name for each in fields(FileMapping)}
    for name, value in found.items():
        _choose(f"entry of {path}", name, tuple(sorted(known)))
        is_table = name in ("columns", "kinds")
        texts = value.values() if is_table and isinstance(value, dict) else [value]
        if is_table != isinstance(value, dict) or not all(isinstance(text, str) for text in texts):
            raise HeadraceError(f"{path}: {name} has to be {'a table of texts' if is_table else 'a text'}")
    return FileMapping(**found)


def _toml(text: str) -> str:
    return json.dumps(text)  # a JSON string is a basic string of TOML


def _choose(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise HeadraceError(f"{what} {value!r} is none of {', '.join(allowed)}")

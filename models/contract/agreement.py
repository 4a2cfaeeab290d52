"""What the workers of a group have to agree on, and in what two of them differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import orjson

Value = str | int | float | bool
ABSENT = "not known"


@dataclass(frozen=True, slots=True)
class Terms:
    """What one worker works with.

    `settings` are by the names of their variables, and models among them by what they are for.
    `formats` are, by the name of what is stored, the oldest version that the worker reads and the
    one that it reads up to and writes. `version` is that of Headrace, for people.
    """

    version: str
    settings: Mapping[str, Value] = field(default_factory=dict)
    formats: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The terms as JSON."""
        return orjson.dumps({"version": self.version, "settings": self.settings, "formats": self.formats})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The terms from JSON. Raises ValueError for what no worker wrote."""
        found = orjson.loads(data)
        try:
            formats = {name: (int(oldest), int(newest)) for name, (oldest, newest) in found["formats"].items()}
            return cls(str(found["version"]), dict(found["settings"]), formats)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no worker wrote these terms: {error}") from error

    def differing_settings(self, other: Self) -> list[str]:
        """The names of the settings that differ, sorted.

        A setting that only one of two versions of Headrace has is no difference between them.
        """
        names = self.settings.keys() | other.settings.keys()
        if self.version != other.version:
            names = self.settings.keys() & other.settings.keys()
        return sorted(name for name in names if self.settings.get(name, ABSENT) != other.settings.get(name, ABSENT))

    def unreadable_formats(self, other: Self) -> list[str]:
        """The names of what one of the two writes and the other cannot read, sorted."""
        return sorted(
            name
            for name in self.formats.keys() & other.formats.keys()
            if not self._reads(name, other) or not other._reads(name, self)
        )

    def _reads(self, name: str, other: Self) -> bool:
        oldest, newest = self.formats[name]
        return oldest <= other.formats[name][1] <= newest

    def describe(self, names: list[str], other: Self) -> str:
        """These settings in words, with both values."""
        return ", ".join(
            f"{name} is {self.settings.get(name, ABSENT)!r} here and {other.settings.get(name, ABSENT)!r} there"
            for name in names
        )

"""The versions of all that Headrace stores.

Each names what is stored, the version that is written, and the oldest one that is still read. A
newer version is refused in words, wherever it is met: what it means is not known here.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """One kind of stored data. Versions `oldest` to `version` are read, `version` is written."""

    name: str
    version: int
    oldest: int


PROFILE = Format("profile", 1, 0)
SNAPSHOT = Format("snapshot", 6, 6)

FORMATS = (PROFILE,)


class NewerFormat(ValueError):
    """A newer version of Headrace stored something. The message says what to do."""

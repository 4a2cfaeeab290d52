"""Records as they are planned, and as the broker has them afterwards."""

from dataclasses import dataclass
from typing import NamedTuple

KIND_OF_TOPIC = {"views": "view", "clicks": "click", "carts": "cart", "orders": "order"}
ITEMS = "items"
SOURCES = (*KIND_OF_TOPIC, ITEMS)


@dataclass(frozen=True, slots=True)
class Planned:
    """What the shop sends; `reason` says why it must be in quarantine, and is empty for what must
    be accepted.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    reason: str = ""

    @property
    def content(self) -> "Content":
        return Content(self.topic, self.key, self.value)


class Content(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None


class Place(NamedTuple):
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Logged:
    """A record as a topic holds it; `time` is the broker's, in seconds since 1970."""

    place: Place
    key: bytes | None
    value: bytes | None
    time: float
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def content(self) -> Content:
        return Content(self.place.topic, self.key, self.value)

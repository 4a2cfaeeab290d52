"""The facts that shops send: interactions of users with items, and the items themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Kind(IntEnum):
    """What a user did to an item; each has a topic of its own.

    Of two that happened at the same time the larger one counts as the later one. What is stored
    does not depend on these numbers: its formats say which kinds it has.
    """

    VIEW = 0
    CLICK = 1
    CART = 2
    ORDER = 3

    @property
    def label(self) -> str:
        """The kind as it is written in interactions and metrics."""
        return self.name.lower()


TOPIC_OF_KIND = {Kind.VIEW: "views", Kind.CLICK: "clicks", Kind.CART: "carts", Kind.ORDER: "orders"}
KIND_OF_TOPIC = {topic: kind for kind, topic in TOPIC_OF_KIND.items()}
KIND_OF_LABEL = {kind.label: kind for kind in Kind}

OLDEST_TS = 631_152_000.0  # 1990-01-01T00:00:00Z; an earlier time comes from a clock that was never set
GUEST_PREFIX = "session:"
LOG_MARK = "@"  # not a character that a topic's name may have


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Consecutive records of one partition as Kafka holds them; all columns have the same length n.

    `times` are the broker's append times in seconds since 1970. `log` tells this log from another
    one of the same topic, where that is known. `moved_to` is the partition in which events are
    processed that lay in another one than their users'; None for all that are where they belong.
    """

    topic: str
    partition: int
    offsets: NDArray[np.int64]
    times: NDArray[np.float64]
    keys: list[bytes | None]
    values: list[bytes | None]
    log: str = ""
    headers: Sequence[Sequence[tuple[str, bytes]]] = ()
    moved_to: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, end: int) -> "RawBatch":
        """The records from row `start` up to, not including, row `end`."""
        return replace(
            self,
            offsets=self.offsets[start:end],
            times=self.times[start:end],
            keys=self.keys[start:end],
            values=self.values[start:end],
            headers=self.headers[start:end],
        )

    def dated(self, now: float) -> "RawBatch":
        """The batch with `now`, in seconds, as the time of records that were appended before 1990:
        their producer set none, or set it in seconds where Kafka counts milliseconds.
        """
        unset = self.times < OLDEST_TS
        return replace(self, times=np.where(unset, now, self.times)) if unset.any() else self

    @property
    def home(self) -> int:
        """The partition whose owner processes the batch."""
        return self.partition if self.moved_to is None else self.moved_to

    @property
    def source(self) -> str:
        """The source partition's name in profiles and interactions, such as
        `views-3@1795316155048`.
        """
        return self.source_of(self.topic, self.partition, self.log)

    @staticmethod
    def source_of(topic: str, partition: int, log: str) -> str:
        """The name of a source partition; `log` is empty where it is not known."""
        place = f"{topic}-{partition}"
        return f"{place}{LOG_MARK}{log}" if log else place


@dataclass(frozen=True, slots=True)
class Item:
    """A catalogue entry; only what the shop said. An item without a title has an empty one."""

    item_id: str
    title: str
    category: str = ""
    brand: str = ""
    description: str = ""
    price: float | None = None
    currency: str = ""
    available: bool = True
    attributes: dict[str, object] = field(default_factory=dict)
    updated_at: float | None = None
    url: str = ""
    image_url: str = ""

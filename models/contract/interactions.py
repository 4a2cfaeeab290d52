"""Accepted events as columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.contract.events import GUEST_PREFIX, Kind
from models.contract.identity import CANCELLED, identities
from models.contract.mend import EventRepair
from models.contract.typed_event import CancelledOrder, EventRecord


@dataclass(frozen=True, slots=True)
class Interactions:
    """Accepted events as columns of the same length n, in offset order of one source partition.

    `times` are the broker's append times, `ts` event times, both in seconds. Ids are those of
    `events`, but for `user_ids`, where a guest is named after the session. `doubts` has 0 or the
    place in DOUBTS plus 1, None where nothing is doubtful; `is_learned` says which events others
    learn from, None for all. `repairs` are those of mended events, by offset. `cancelling` marks
    events that cancel an order, None where there are none, which is the rule.
    """

    source: str
    kind: Kind
    offsets: NDArray[np.int64]
    times: NDArray[np.float64]
    ts: NDArray[np.float64]
    user_ids: list[str]
    events: list[EventRecord]
    doubts: NDArray[np.uint8] | None = None
    is_learned: NDArray[np.bool_] | None = None
    repairs: Mapping[int, tuple[EventRepair, ...]] = field(default_factory=dict)
    cancelling: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls, source: str, kind: Kind, offsets: NDArray[np.int64], times: NDArray[np.float64], events: list[EventRecord]
    ) -> Self:
        """From events whose `ts` are numbers, none of which cancels an order."""
        ts = np.array([event.ts for event in events], np.float64)
        # An event has a user or a session.
        user_ids = [event.user_id or f"{GUEST_PREFIX}{event.session_id}" for event in events]
        return cls(source, kind, offsets, times, ts, user_ids, events)

    def with_cancellations(self) -> "Interactions":
        """The same events, with those marked that cancel an order."""
        cancelling = np.array([type(event) is CancelledOrder for event in self.events], np.bool_)
        return replace(self, cancelling=cancelling if cancelling.any() else None)

    @property
    def orders(self) -> NDArray[np.uint64]:
        """The number of each event, shape (n,); a cancellation has that of the order."""
        return identities(self.events, self.user_ids)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def event_ids(self) -> list[str]:
        """The ids of the events."""
        return [event.event_id for event in self.events]

    @property
    def identities(self) -> NDArray[np.uint64]:
        """What tells each event from others; see `models.contract.identity`."""
        found = self.orders
        if self.cancelling is not None:
            found[self.cancelling] ^= CANCELLED
        return found

    @property
    def item_ids(self) -> list[str]:
        """The ids of the items."""
        return [event.item_id for event in self.events]

    @property
    def session_ids(self) -> list[str | None]:
        """The ids of the sessions, None where the event has none."""
        return [event.session_id for event in self.events]

    def only(self, chosen: NDArray[np.bool_]) -> "Interactions":
        """The events where `chosen`, shape (n,), is true."""
        keep = chosen.tolist()
        return Interactions(
            self.source,
            self.kind,
            self.offsets[chosen],
            self.times[chosen],
            self.ts[chosen],
            list(compress(self.user_ids, keep)),
            list(compress(self.events, keep)),
            None if self.doubts is None else self.doubts[chosen],
            None if self.is_learned is None else self.is_learned[chosen],
            self.repairs,
            None if self.cancelling is None or not self.cancelling[chosen].any() else self.cancelling[chosen],
        )

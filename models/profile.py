"""A user's state, derived from interactions. `models.users` keeps it in arrays and moves it from
batch to batch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.cancelled import Outcome
from models.contract.events import Kind
from models.setting import setting

SESSION_SECONDS = 1800.0  # without a session_id, a session ends after 30 minutes of silence (contract)


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """How much of a user is kept, and how interactions weigh."""

    recent_items: int = setting(30, "most recent distinct items kept per user", low=1, high=1000)
    bought_items: int = setting(200, "bought items that are kept out of a user's list", low=0, high=10_000)
    half_life_days: float = setting(30.0, "a user's interaction counts half after this long", low=0.01)
    view_weight: float = setting(1.0, "weight of a view", low=0)
    click_weight: float = setting(2.0, "weight of a click", low=0)
    cart_weight: float = setting(3.0, "weight of a cart: an item that was put into it", low=0)
    order_weight: float = setting(5.0, "weight of an order", low=0)

    def weight(self, kind: Kind) -> float:
        """The weight of one interaction of this kind."""
        return (self.view_weight, self.click_weight, self.cart_weight, self.order_weight)[kind]

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights of all kinds, by kind."""
        return np.array([self.weight(kind) for kind in Kind])

    @property
    def decay_rate(self) -> float:
        """Forward-decay rate per second."""
        return math.log(2) / (self.half_life_days * 86_400)


class Seen(NamedTuple):
    """The latest interaction with an item; tuples compare by time first."""

    ts: float
    kind: int
    item_id: str


class Cancelled(NamedTuple):
    """An order that was cancelled: its number, its time, what became of it, and its item.

    The number is that of `models.contract.identity`, which is also that of a repeat of the order.
    """

    number: int
    ts: float
    outcome: Outcome
    item_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """The span of a session that has no id of its own: event times in seconds.

    `opened` is the time that names it; None where only the name, in milliseconds, is known.
    """

    session_id: str
    start: float
    end: float
    opened: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a user.

    `recent` and `bought` hold each item once, newest first. `counts` are decayed sums per kind as
    of `counted_at` (forward decay, Cormode et al. 2009). `applied` is, per source partition, the
    last offset that is contained. `cancelled` are the orders that were cancelled last, in the order
    of their cancellations.
    """

    recent: tuple[Seen, ...] = ()
    bought: tuple[Seen, ...] = ()
    counts: tuple[float, ...] = (0.0,) * len(Kind)
    counted_at: float = 0.0
    session: Session | None = None
    applied: Mapping[str, int] = field(default_factory=dict)
    cancelled: tuple[Cancelled, ...] = ()

    @property
    def newest_ts(self) -> float:
        """Event time of the newest interaction, in seconds; 0 before the first."""
        return self.recent[0].ts if self.recent else 0.0

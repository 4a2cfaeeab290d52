"""A user's state, derived from interactions, and the step that takes it from one batch to the next."""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from models.contract.events import LOG_MARK, Kind
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
    order_weight: float = setting(5.0, "weight of an order", low=0)

    def weight(self, kind: Kind) -> float:
        """The weight of one interaction of this kind."""
        return (self.view_weight, self.click_weight, self.order_weight)[kind]

    @property
    def decay_rate(self) -> float:
        """Forward-decay rate per second."""
        return math.log(2) / (self.half_life_days * 86_400)


class Seen(NamedTuple):
    """The latest interaction with an item; tuples compare by time first."""

    ts: float
    kind: int
    item_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """The span of a session that has no id of its own: event times in seconds."""

    session_id: str
    start: float
    end: float


class Event(NamedTuple):
    """One accepted event as a profile sees it."""

    ts: float
    kind: int
    item_id: str
    source: str
    offset: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a user.

    `recent` and `bought` hold each item once, newest first. `counts` are decayed sums per kind as of `counted_at`
    (forward decay, Cormode et al. 2009). `applied` is, per source partition, the last offset that is contained.
    `vector` is the user's taste (see `models.vectors.semantic`) as little-endian float16, made of vectors of
    `vector_model`;
    it is there to be read by others: it follows anew from `recent` with every event.
    """

    recent: tuple[Seen, ...] = ()
    bought: tuple[Seen, ...] = ()
    counts: tuple[float, ...] = (0.0, 0.0, 0.0)
    counted_at: float = 0.0
    session: Session | None = None
    applied: Mapping[str, int] = field(default_factory=dict)
    vector: bytes = b""
    vector_model: str = ""

    @property
    def newest_ts(self) -> float:
        """Event time of the newest interaction, in seconds; 0 before the first."""
        return self.recent[0].ts if self.recent else 0.0


def step(profile: Profile, events: list[Event], settings: ProfileSettings) -> Profile:
    """The profile after `events`; those that it contains already change nothing.

    The result does not depend on the order of events between sources, nor on how they are cut into batches.
    """
    applied = dict(profile.applied)
    fresh = []
    for event in events:
        if event.offset > applied.get(event.source, -1):
            applied[event.source] = event.offset
            fresh.append(event)
    if not fresh:
        return profile
    _drop_former_logs(applied, {event.source for event in fresh})
    seen = [Seen(event.ts, event.kind, event.item_id) for event in fresh]
    orders = [each for each in seen if each.kind == Kind.ORDER]
    counts, counted_at = _count(profile, fresh, settings.decay_rate)
    return replace(
        profile,
        recent=_latest(profile.recent, seen, settings.recent_items),
        bought=_latest(profile.bought, orders, settings.bought_items) if orders else profile.bought,
        counts=counts,
        counted_at=counted_at,
        applied=applied,
    )


def locate_session(session: Session | None, user_id: str, ts: float) -> tuple[Session | None, str]:
    """The open session after an event without a session_id, and the id of the session that the event belongs to.

    An event from before the open session stands alone: its session is long closed.
    """
    if session is None or ts > session.end + SESSION_SECONDS:
        opened = Session(f"{user_id}@{ts:.3f}", ts, ts)
        return opened, opened.session_id
    if ts < session.start - SESSION_SECONDS:
        return session, f"{user_id}@{ts:.3f}"
    if session.start <= ts <= session.end:
        return session, session.session_id
    return replace(session, start=min(session.start, ts), end=max(session.end, ts)), session.session_id


def _drop_former_logs(applied: dict[str, int], current: set[str]) -> None:
    """A partition has one log at a time: what was applied of a former one will not come again."""
    places = {source.partition(LOG_MARK)[0] for source in current}
    for source in [each for each in applied if each not in current and each.partition(LOG_MARK)[0] in places]:
        del applied[source]


def _latest(known: tuple[Seen, ...], new: list[Seen], limit: int) -> tuple[Seen, ...]:
    latest: dict[str, Seen] = {each.item_id: each for each in known}
    for each in new:
        standing = latest.get(each.item_id)
        if standing is None or each > standing:
            latest[each.item_id] = each
    return tuple(heapq.nlargest(limit, latest.values()))


def _count(profile: Profile, events: list[Event], rate: float) -> tuple[tuple[float, ...], float]:
    newest = max(profile.counted_at, *(event.ts for event in events))
    faded = math.exp((profile.counted_at - newest) * rate)
    counts = [count * faded for count in profile.counts]
    for event in events:
        counts[event.kind] += math.exp((event.ts - newest) * rate)
    return tuple(counts), newest

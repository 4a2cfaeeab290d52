"""What the compiled core computes, written down naively: tests hold the fast code to the same
answers.
"""

import heapq
import math
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from models.contract.events import LOG_MARK, Kind
from models.contract.lists import Ranking
from models.profile import SESSION_SECONDS, Profile, ProfileSettings, Seen, Session
from models.trending import Popular


class Event(NamedTuple):
    """One accepted event as a profile sees it."""

    ts: float
    kind: int
    item_id: str
    source: str
    offset: int


def happen(profile: Profile, user_id: str, events: list[Event], settings: ProfileSettings) -> Profile:
    """The profile after events without a session id."""
    for event in events:
        is_new = event.offset > profile.applied.get(event.source, -1)
        session, _ = locate_session(profile.session, user_id, event.ts)
        profile = step(profile, [event], settings)
        if is_new:
            profile = replace(profile, session=session)
    return profile


def locate_session(session: Session | None, user_id: str, ts: float) -> tuple[Session | None, str]:
    """The open session after an event without a session_id, and the id of the session that the
    event belongs to.

    An event from before the open session is a session of its own: the right one is long closed.
    """
    if session is None or ts > session.end + SESSION_SECONDS:
        opened = Session(f"{user_id}@{ts:.3f}", ts, ts)
        return opened, opened.session_id
    if ts < session.start - SESSION_SECONDS:
        return session, f"{user_id}@{ts:.3f}"
    if session.start <= ts <= session.end:
        return session, session.session_id
    return replace(session, start=min(session.start, ts), end=max(session.end, ts)), session.session_id


def step(profile: Profile, events: list[Event], settings: ProfileSettings) -> Profile:
    """The profile after `events`, its session left alone; those that it contains already change
    nothing.
    """
    applied = dict(profile.applied)
    fresh = []
    for event in events:
        if event.offset > applied.get(event.source, -1):
            applied[event.source] = event.offset
            fresh.append(event)
    if not fresh:
        return profile
    current = {event.source for event in fresh}
    places = {source.partition(LOG_MARK)[0] for source in current}
    applied = {
        source: offset
        for source, offset in applied.items()
        if source in current or source.partition(LOG_MARK)[0] not in places
    }
    seen = [Seen(event.ts, event.kind, event.item_id) for event in fresh]
    orders = [each for each in seen if each.kind == Kind.ORDER]
    newest = max(profile.counted_at, *(event.ts for event in fresh))
    counts = [count * math.exp((profile.counted_at - newest) * settings.decay_rate) for count in profile.counts]
    for event in fresh:
        counts[event.kind] += math.exp((event.ts - newest) * settings.decay_rate)
    return replace(
        profile,
        recent=_latest(profile.recent, seen, settings.recent_items),
        bought=_latest(profile.bought, orders, settings.bought_items),
        counts=tuple(counts),
        counted_at=newest,
        applied=applied,
    )


def _latest(known: tuple[Seen, ...], new: list[Seen], limit: int) -> tuple[Seen, ...]:
    latest: dict[str, Seen] = {each.item_id: each for each in known}
    for each in new:
        standing = latest.get(each.item_id)
        if standing is None or each > standing:
            latest[each.item_id] = each
    return tuple(heapq.nlargest(limit, latest.values()))


@dataclass(frozen=True, slots=True)
class Found:
    """Items with their scores; which of them were found by meaning, and which must have a place."""

    scored: Sequence[tuple[str, float]]
    by_meaning: Container[str] = ()
    reserved: Collection[str] = ()


def rank(
    found: Found, fallbacks: Iterable[tuple[str, Sequence[Popular]]], excluded: Container[str], size: int
) -> Ranking:
    """Candidates by score, then each fallback's items in its order until `size` are found."""
    ranked = _best(found, size)
    item_ids = [item_id for _, item_id in ranked]
    scores = [-score for score, _ in ranked]
    sources = ["semantic" if item_id in found.by_meaning else "neighbours" for item_id in item_ids]
    for source, popular in fallbacks:
        shown = [each for each in popular if each.item_id not in item_ids and each.item_id not in excluded]
        added = list(islice(shown, size - len(item_ids)))
        if added:
            item_ids += [each.item_id for each in added]
            scores += _scores_below(scores, added)
            sources += [source] * len(added)
    return Ranking(tuple(item_ids), tuple(scores), tuple(sources))


def _best(found: Found, size: int) -> list[tuple[float, str]]:
    ranked = sorted((-round(score, 6), item_id) for item_id, score in found.scored)
    having = [each for each in ranked if each[1] in found.reserved][:size]
    others = [each for each in ranked if each[1] not in found.reserved][: size - len(having)]
    return sorted(having + others)


def _scores_below(scores: list[float], found: list[Popular]) -> list[float]:
    best = -found[0].minus_share
    highest = 0.5 * scores[-1] if scores else best
    return [round_share(highest * (-each.minus_share / best)) for each in found]


def round_share(score: float) -> float:
    """Round to 6 significant digits; what is below 1e-17 is returned as it is."""
    return score if score * 1e22 < 1e5 else float(f"{score:.6g}")

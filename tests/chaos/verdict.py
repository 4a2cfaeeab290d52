"""What was stored against what must be: every event accounted for, every value compared."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chaos.oracle import RECENT_ITEMS, Event, Expected, Profile, profiles
from chaos.records import KIND_OF_TOPIC, Logged, Place
from chaos.stored import Stored, short_name, source_of

TIME_TOLERANCE = 1e-4  # seconds; two events of a user are at least a millisecond apart
COUNT_TOLERANCE = 1e-6
EXAMPLES = 5
PROFILE_PARTS = ("recent", "bought", "counts", "at", "offsets")


@dataclass(slots=True)
class Verdict:
    """Counts of what is right, and what is not, in words."""

    records: int = 0
    accepted: int = 0
    repeats: int = 0
    quarantined: int = 0
    profiles: int = 0
    items: int = 0
    begun_again: int = 0  # profiles that Redis lost, where the documents allow it
    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    wrong_profiles: list[str] = field(default_factory=list)
    wrong_items: list[str] = field(default_factory=list)
    wrong_lists: list[str] = field(default_factory=list)
    wrong_records: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        """What is wrong, by sort."""
        found = {"lost", "double", "wrong_profiles", "wrong_items", "wrong_lists", "wrong_records"}
        return {name: value for name, value in asdict(self).items() if name in found and value}

    @property
    def is_right(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the run left. `lost_at` is when Redis last lost its data, by the broker's clock; None if
    never.
    """

    interactions: Sequence[Logged]
    quarantine: Sequence[Logged]
    stored: Stored
    lost_at: float | None = None


def judge(expected: Expected, evidence: Evidence) -> Verdict:
    """Compare everything. The order of findings follows the log."""
    verdict = Verdict(items=len(expected.items))
    valid = sum(map(len, expected.groups.values()))
    verdict.records = valid + len(expected.rejected)
    verdict.wrong_records += [f"{place} is in the log, but was never sent" for place in expected.unplanned]
    accepted = _account(expected, _interactions(evidence.interactions, verdict), verdict)
    verdict.accepted, verdict.repeats = len(accepted), valid - len(accepted)
    _check_quarantine(expected.rejected, evidence.quarantine, verdict)
    _check_profiles(accepted, evidence, verdict)
    _check_lists(accepted, evidence, verdict)
    verdict.wrong_items = wrong_items(expected.items, evidence.stored.items)
    return verdict


def _interactions(records: Sequence[Logged], verdict: Verdict) -> dict[Place, dict[str, Any]]:
    """One interaction for each source position; later ones of a position must say the same."""
    found: dict[Place, dict[str, Any]] = {}
    for record in records:
        said = json.loads(record.value or b"")
        place = Place(*source_of(said["source"]), said["offset"])
        first = found.setdefault(place, said)
        if any(first[name] != said[name] for name in ("event_id", "user_id", "item_id", "kind", "ts")):
            verdict.wrong_records.append(f"interactions tell of {place} twice, in two ways")
        if (record.key or b"").decode() != said["user_id"]:
            verdict.wrong_records.append(f"the interaction of {place} is keyed by {record.key!r}")
    return found


def _account(expected: Expected, found: Mapping[Place, Mapping[str, Any]], verdict: Verdict) -> list[Event]:
    """The events that count: of each id the one in `interactions`."""
    accepted = []
    for event_id, events in expected.groups.items():
        counted = [event for event in events if event.place in found]
        if not counted:
            verdict.lost.append(f"{event_id} of {events[0].user} at {_places(events)}: in no interaction")
        if len(counted) > 1:
            verdict.double.append(f"{event_id} of {events[0].user}: in interactions from {_places(counted)}")
        accepted += counted[:1]
        verdict.wrong_records += [
            f"the interaction of {event.place} differs: {found[event.place]}"
            for event in counted
            if not _tells(found[event.place], event)
        ]
    known = {event.place for events in expected.groups.values() for event in events}
    verdict.wrong_records += [f"an interaction of no valid event: {place}" for place in found.keys() - known]
    return accepted


def _places(events: Iterable[Event]) -> str:
    return " and ".join("{}-{} offset {}".format(*event.place) for event in events)


def _tells(said: Mapping[str, Any], event: Event) -> bool:
    is_same = (said["event_id"], said["user_id"], said["item_id"], said["kind"]) == (
        event.event_id,
        event.user,
        event.item_id,
        KIND_OF_TOPIC[event.place.topic],
    )
    # Without an id a session may be cut in two ways (docs/architecture.md).
    is_session = event.session_id is None or said["session_id"] == event.session_id
    return is_same and is_session and math.isclose(said["ts"], event.ts, rel_tol=0, abs_tol=TIME_TOLERANCE)


def _check_quarantine(
    rejected: Mapping[Place, tuple[str, Logged]], records: Sequence[Logged], verdict: Verdict
) -> None:
    found: dict[Place, Logged] = {}
    for record in records:
        said = {name: value.decode() for name, value in record.headers}
        place = Place(short_name(said["source-topic"]), int(said["source-partition"]), int(said["source-offset"]))
        found[place] = record
        reason, original = rejected.get(place, ("", record))
        if reason != said["reason"] or (record.key, record.value) != (original.key, original.value):
            verdict.wrong_records.append(
                f"{place} is in quarantine for {said['reason']} ({said['detail']}), not {reason or 'to be there'}"
            )
    verdict.quarantined = len(found.keys() & rejected.keys())
    verdict.lost += [f"{place} is not in quarantine" for place in rejected.keys() - found.keys()]


def _check_profiles(accepted: Sequence[Event], evidence: Evidence, verdict: Verdict) -> None:
    whole, found = profiles(accepted), evidence.stored.profiles
    verdict.profiles = len(whole)
    after = [event for event in accepted if evidence.lost_at is not None and event.time > evidence.lost_at]
    since = profiles(after)
    events: dict[str, set[tuple[str, float, str]]] = defaultdict(set)
    for event in accepted:
        events[event.user].add((event.item_id, round(event.ts, 3), event.kind))
    for user in sorted(whole.keys() | found.keys()):
        wrong = _difference(whole.get(user), found.get(user))
        if wrong and evidence.lost_at is not None and _began_again(since.get(user), found.get(user), events[user]):
            verdict.begun_again += 1
        elif wrong:
            verdict.wrong_profiles.append(f"{user}: {wrong}")


def _difference(expected: Profile | None, found: Profile | None) -> str:
    """What differs, in words; empty when nothing does."""
    if expected is None or found is None:
        return "no such user sent an accepted event" if expected is None else "it is missing"
    wrong = [
        f"{name} is {_shown(getattr(found, name))}, not {_shown(getattr(expected, name))}"
        for name in PROFILE_PARTS
        if not _same(getattr(found, name), getattr(expected, name))
    ]
    return "; ".join(wrong)


def _same(found: Any, expected: Any) -> bool:
    """Equal, with numbers within their tolerance."""
    if isinstance(expected, float) and isinstance(found, int | float):
        tolerance = TIME_TOLERANCE if expected > 1e6 else COUNT_TOLERANCE * max(1.0, expected)
        return math.isclose(found, expected, rel_tol=0, abs_tol=tolerance)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_same(found[name], expected[name]) for name in expected)
    return bool(found == expected)


def _shown(value: Any) -> str:
    """A value for the log of a failed run; long lists only begin."""
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(value)})"


def _began_again(since: Profile | None, found: Profile | None, events: set[tuple[str, float, str]]) -> bool:
    """Whether a profile that Redis lost holds all since then, and nothing that the user did not do.

    docs/operations.md, "When Redis loses its data": it starts with the next event, or is whole
    where the worker had it in memory; an event that is delivered twice at that moment counts twice.
    """
    if found is None:
        return since is None
    least = dict.fromkeys(found.counts, 0.0) if since is None else since.counts
    most = {kind: 2 * sum(event[2] == kind for event in events) for kind in found.counts}
    is_full = len(found.recent) == RECENT_ITEMS  # older items of the user may have pushed others out
    has_all = since is None or is_full or {row[0] for row in since.recent} <= {row[0] for row in found.recent}
    is_true = all((item_id, round(ts, 3), kind) in events for item_id, ts, kind in found.recent)
    in_bounds = all(least[kind] * 0.99 <= found.counts[kind] <= most[kind] for kind in found.counts)
    return has_all and is_true and in_bounds


def _check_lists(accepted: Sequence[Event], evidence: Evidence, verdict: Verdict) -> None:
    """Each user has a list that follows from the newest event."""
    newest: dict[str, float] = {}
    for event in accepted:
        if evidence.lost_at is None or event.time > evidence.lost_at:
            newest[event.user] = max(newest.get(event.user, 0.0), event.ts)
    for user, ts in sorted(newest.items()):
        at = evidence.stored.lists.get(user, -1.0)
        is_right = at >= ts - TIME_TOLERANCE if evidence.lost_at is not None else _same(at, ts)
        if not is_right:
            verdict.wrong_lists.append(f"{user}: the list is of {at}, the newest event of {ts}")


def wrong_items(expected: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong in the catalogue, in words."""
    wrong = []
    for item_id in sorted(expected.keys() | found.keys()):
        said, stored = expected.get(item_id), found.get(item_id, {})
        if said is None:
            wrong.append(f"{item_id}: the catalogue never had it, Redis has {dict(stored)}")
        elif not all(_same(stored.get(name), value) for name, value in said.items()):
            wrong.append(f"{item_id}: it is {dict(stored)}, not {dict(said)}")
    return wrong

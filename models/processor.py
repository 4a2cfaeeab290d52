"""The whole pure step for a batch of events: bytes in, everything that is to be written out.

It decides; `agents.process` loads what it needs and commits what it returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.contract.event_codec import EventSettings, decode
from models.contract.events import Interactions, Kind, RawBatch
from models.contract.lists import Recommendation
from models.contract.outcome import Rejected
from models.contract.wire import encode_interactions
from models.duplicates import DuplicateFilter
from models.profile import Event, Profile, ProfileSettings, Session, locate_session, step
from models.recommender import Asker, Recommender
from models.vectors.semantic import stored

MODEL_NAME = "vmis-knn"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A batch after decoding and the check for duplicates; `rows` index the accepted, non-duplicate events."""

    interactions: Interactions
    rows: list[int]
    rejected: list[Rejected]
    duplicates: int
    unknown_fields: int
    users: list[str]


@dataclass(slots=True)
class Trace:
    """One user's way through a batch: the open session, the id of the last event's session, and the events."""

    session: Session | None
    session_id: str = ""
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Followed:
    """A batch whose users and sessions are known; `session_ids` has one entry per entry of `admitted.rows`."""

    admitted: Admitted
    traces: Mapping[str, Trace]
    session_ids: list[str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What one batch leads to; nothing of it has happened yet.

    `times` are the broker's append times of the accepted events, shape (n,), for the freshness figure.
    """

    profiles: Mapping[str, Profile]
    recommendations: list[Recommendation]
    interactions: list[bytes]
    interaction_keys: list[str]
    rejected: list[Rejected]
    accepted: int
    duplicates: int
    unknown_fields: int
    times: NDArray[np.float64]


def hash_session(session_id: str) -> int:
    """The session's 64-bit number; never 0, which stands for no session."""
    return xxhash.xxh3_64_intdigest(session_id.encode()) or 1


def admit(batch: RawBatch, kind: Kind, seen: DuplicateFilter, settings: EventSettings) -> Admitted:
    """Decode a batch of a source topic and leave out duplicates."""
    decoded = decode(batch, kind, settings)
    found = decoded.accepted
    repeated = seen.remember(found.source, found.offsets, found.times, found.ts, found.event_ids)
    rows: list[int] = np.flatnonzero(~repeated).tolist()
    users = list(dict.fromkeys(found.user_ids[row] for row in rows))
    return Admitted(found, rows, decoded.rejected, len(found) - len(rows), decoded.unknown_fields, users)


def follow(admitted: Admitted, profiles: Mapping[str, Profile]) -> Followed:
    """Find each event's session and each user's events. `profiles` must hold all of `admitted.users`."""
    found = admitted.interactions
    traces = {user: Trace(profiles[user].session) for user in admitted.users}
    offsets, ts = found.offsets.tolist(), found.ts.tolist()
    session_ids = []
    for row in admitted.rows:
        user = found.user_ids[row]
        trace = traces[user]
        session_id = found.session_ids[row]
        if session_id is None:
            located, session_id = locate_session(trace.session, user, ts[row])
            if offsets[row] > profiles[user].applied.get(found.source, -1):  # else it is contained already
                trace.session = located
        trace.session_id = session_id
        trace.events.append(Event(ts[row], found.kind, found.item_ids[row], found.source, offsets[row]))
        session_ids.append(session_id)
    return Followed(admitted, traces, session_ids)


def decide(
    followed: Followed,
    profiles: Mapping[str, Profile],
    recommender: Recommender,
    settings: ProfileSettings,
    now: float,
) -> Effects:
    """New profiles and lists of the batch's users; `now` in seconds.

    A user whose events were all applied before (a replay) gets the same profile and still a list, since the
    first try may have stopped between the two.
    """
    admitted = followed.admitted
    found = admitted.interactions
    updated = {
        user: replace(step(profiles[user], trace.events, settings), session=trace.session)
        for user, trace in followed.traces.items()
    }
    tastes = recommender.tastes(list(updated.values()))
    if tastes is not None:
        updated = _with_tastes(updated, tastes, recommender.vector_model)
    askers = [Asker(updated[user], hash_session(trace.session_id)) for user, trace in followed.traces.items()]
    return Effects(
        profiles=updated,
        recommendations=[
            Recommendation(user, ranking, updated[user].newest_ts, now, MODEL_NAME)
            for user, ranking in zip(admitted.users, recommender.recommend(askers, tastes), strict=True)
        ],
        interactions=encode_interactions(found, followed.session_ids, admitted.rows),
        interaction_keys=[found.user_ids[row] for row in admitted.rows],
        rejected=admitted.rejected,
        accepted=len(admitted.rows),
        duplicates=admitted.duplicates,
        unknown_fields=admitted.unknown_fields,
        times=found.times[admitted.rows],
    )


def _with_tastes(profiles: Mapping[str, Profile], tastes: NDArray[np.float32], model: str) -> dict[str, Profile]:
    return {
        user: replace(profile, vector=stored(taste), vector_model=model)
        for (user, profile), taste in zip(profiles.items(), tastes, strict=True)
    }

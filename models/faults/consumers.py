"""What is learned of records that reach the broker: by the quality stage, and by a consumer without
one.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from models.catalogue import Catalogue
from models.contract.event_codec import EventSettings
from models.contract.events import GUEST_PREFIX, KIND_OF_TOPIC, Item, RawBatch
from models.contract.outcome import DOUBTS
from models.duplicates import DuplicateFilter
from models.faults.events import DUPLICATE, Arrival
from models.plausibility.judge import Plausibility
from models.plausibility.settings import PlausibilitySettings
from models.processor import admit, hash_session
from models.users.open_sessions import OpenSessions
from models.vocabulary import Vocabulary

BATCH = 500
ACCEPTED = ""


class Taken(NamedTuple):
    """What a consumer understood of one record."""

    item_id: str
    user: str
    session_id: str
    ts: float


class Consumed(NamedTuple):
    """What became of n records; of those that were not taken, the columns hold nothing of use.

    `outcomes` is ACCEPTED, DUPLICATE or the reason of a rejection or of a doubt. What `is_taken` is
    in its session; what `is_learned` counts for others, too.
    """

    outcomes: list[str]
    is_taken: NDArray[np.bool_]
    is_learned: NDArray[np.bool_]
    item_ids: list[str]
    sessions: NDArray[np.uint64]
    users: NDArray[np.uint64]
    ts: NDArray[np.float64]
    kinds: NDArray[np.int32]


def consume(
    arrivals: Sequence[Arrival],
    settings: EventSettings,
    plausible: PlausibilitySettings | None = None,
    catalogue: Sequence[Item] = (),
) -> Consumed:
    """Read with the worker's own stage: its checks, its plausibility, its memory of repeats.

    The `catalogue` tells the prices of items. What is doubtful has its reason as the outcome, also
    where it is learned.
    """
    items = Vocabulary()
    known = Catalogue(items)
    for item in catalogue:
        known.upsert(item)
    plausibility = Plausibility(plausible or PlausibilitySettings(), items, known)
    seen = DuplicateFilter(settings.duplicate_window_seconds, settings.duplicate_memory)
    outcomes, taken = [DUPLICATE] * len(arrivals), _nothing_taken(len(arrivals))
    learned = np.zeros(len(arrivals), np.bool_)
    for first in range(0, len(arrivals), BATCH):
        for batch in _by_topic(arrivals, first):
            admitted = admit(batch, KIND_OF_TOPIC[batch.topic], seen, settings, plausibility=plausibility)
            found = admitted.interactions
            for each in admitted.rejected:
                outcomes[each.offset] = each.reason
            rows = zip(
                found.offsets.tolist(),
                found.item_ids,
                found.user_ids,
                found.session_ids,
                found.ts.tolist(),
                strict=True,
            )
            for row, item_id, user, session_id, ts in rows:
                outcomes[row], taken[row] = ACCEPTED, Taken(item_id, user, session_id or "", ts)
            learned[found.offsets] = True if found.is_learned is None else found.is_learned
            for offset, repairs in found.repairs.items():
                if outcomes[offset] == ACCEPTED:
                    outcomes[offset] = repairs[0].reason
            if found.doubts is not None:
                for place in found.doubts.nonzero()[0].tolist():
                    outcomes[int(found.offsets[place])] = DOUBTS[found.doubts[place] - 1]
    return _columns(arrivals, outcomes, taken, learned)


def consume_unchecked(arrivals: Sequence[Arrival]) -> Consumed:
    """Read as a program does that parses JSON, and takes whatever names an item, a user or a
    session, and a time.
    """
    taken = [_unchecked(each.value) for each in arrivals]
    return _columns(arrivals, [ACCEPTED] * len(arrivals), taken)


def _unchecked(value: bytes) -> Taken | None:
    try:
        row = orjson.loads(value)
        ts = _time(row["ts"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    item_id, user, session_id = (str(row.get(name) or "") for name in ("item_id", "user_id", "session_id"))
    if not item_id or not (user or session_id) or not math.isfinite(ts):
        return None
    return Taken(item_id, user or GUEST_PREFIX + session_id, session_id, ts)


def _time(value: Any) -> float:
    if not isinstance(value, str):
        return float(value)
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _nothing_taken(count: int) -> list[Taken | None]:
    return [None] * count


def _by_topic(arrivals: Sequence[Arrival], first: int) -> Iterator[RawBatch]:
    """Batches of BATCH records from `first` on; offsets are rows."""
    rows: dict[str, list[int]] = {}
    for row in range(first, min(first + BATCH, len(arrivals))):
        rows.setdefault(arrivals[row].topic, []).append(row)
    for topic, chosen in rows.items():
        found = [arrivals[row] for row in chosen]
        yield RawBatch(
            topic,
            0,
            np.array(chosen, np.int64),
            np.array([each.time for each in found]),
            [each.key for each in found],
            [each.value for each in found],
        )


def _columns(
    arrivals: Sequence[Arrival],
    outcomes: list[str],
    taken: Sequence[Taken | None],
    is_learned: NDArray[np.bool_] | None = None,
) -> Consumed:
    count, begun = len(arrivals), OpenSessions()
    sessions, users, ts = np.zeros(count, np.uint64), np.zeros(count, np.uint64), np.zeros(count)
    for row, each in enumerate(taken):
        if each is not None:
            sessions[row] = hash_session(each.session_id or begun.name(each.user, each.ts))
            users[row], ts[row] = hash_session(each.user), each.ts
    return Consumed(
        outcomes=outcomes,
        is_taken=np.array([each is not None for each in taken], np.bool_),
        is_learned=np.array([each is not None for each in taken], np.bool_) if is_learned is None else is_learned,
        item_ids=["" if each is None else each.item_id for each in taken],
        sessions=sessions,
        users=users,
        ts=ts,
        kinds=np.array([KIND_OF_TOPIC[each.topic] for each in arrivals], np.int32),
    )

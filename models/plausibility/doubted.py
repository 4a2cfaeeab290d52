"""Take out of a batch what can hardly be true, and mark what is not to be learned."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.contract.event_codec import reject
from models.contract.events import RawBatch
from models.contract.interactions import Interactions
from models.contract.outcome import DOUBTS, Reason, Rejected
from models.plausibility.judge import BatchDoubts, Plausibility


class UsersOf(NamedTuple):
    """The users of n events, each once, and the place of each event's user in them, (n,)."""

    users: list[str]
    user_of: NDArray[np.int32]


class Doubted(NamedTuple):
    """The events that are left, what went to quarantine, and how many were doubtful by reason and
    outcome. `users` are those of the events, where they are known already.
    """

    interactions: Interactions
    rejected: list[Rejected]
    counts: Mapping[tuple[Reason, str], int]
    users: UsersOf | None


def users_in(found: Interactions) -> UsersOf:
    """Return the users of the events, in the order of their first ones."""
    place_of: dict[str, int] = {}
    place = place_of.setdefault  # looked up once, as it is called for every event
    user_of = np.array([place(user, len(place_of)) for user in found.user_ids], np.int32)
    return UsersOf(list(place_of), user_of)


def doubt(batch: RawBatch, found: Interactions, plausibility: Plausibility | None) -> Doubted:
    """Judge the accepted events of a batch; without `plausibility` nothing is doubtful."""
    if plausibility is None or not len(found):
        return Doubted(found, [], {}, None)
    users = users_in(found)
    verdict = plausibility.judge(found, users.user_of, lambda: _hashes(users.users))
    if verdict is None:
        return Doubted(found, [], {}, users)
    rejected = _rejected(batch, found, verdict, plausibility)
    is_learned = verdict.is_learned
    found = replace(found, doubts=verdict.doubts, is_learned=None if is_learned.all() else is_learned)
    if rejected:
        return Doubted(found.only(~verdict.is_rejected), rejected, verdict.counts(), None)
    return Doubted(found, [], verdict.counts(), users)


def _hashes(users: list[str]) -> NDArray[np.uint64]:
    return np.fromiter((xxhash.xxh3_64_intdigest(user.encode()) or 1 for user in users), np.uint64, len(users))


def _rejected(batch: RawBatch, found: Interactions, verdict: BatchDoubts, plausibility: Plausibility) -> list[Rejected]:
    chosen = verdict.is_rejected.nonzero()[0]
    rows = np.searchsorted(batch.offsets, found.offsets[chosen]).tolist()
    reasons = [DOUBTS[each - 1] for each in verdict.doubts[chosen].tolist()]
    return [
        reject(batch, row, reason, plausibility.detail(reason, found.events[event]))
        for row, reason, event in zip(rows, reasons, chosen.tolist(), strict=True)
    ]

"""Takes cancelled orders out of what was learned from all users.

Counts and popularity are then those without the order, but for rounding. The order's entry leaves
its session in the neighbour index, and so do the weights of its pairs with the items beside it.
What a learned ranker made of the order as an example stays.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.cancelled import KIND_OF_OUTCOME, Outcome
from models.contract.events import KIND_OF_LABEL, Kind
from models.neighbours.index import NeighbourIndex
from models.processor import hash_session
from models.recommender import LearningBatch, Recommender
from models.users.gather import NO_SESSION
from models.users.table import name_session

# The kinds of the log by number: those of events, then what orders and cancellations came to.
KINDS = KIND_OF_LABEL | {kind: Kind.ORDER + outcome for outcome, kind in KIND_OF_OUTCOME.items()}
UNDONE = Kind.ORDER + Outcome.UNDONE
NAMELESS = hash_session("")  # the log says no session


class CancelledOrders(NamedTuple):
    """Orders that no longer count: item numbers, hashes of sessions (NO_SESSION where none is
    known), event times in seconds, and users; columns of length n.
    """

    items: NDArray[np.int32]
    sessions: NDArray[np.uint64]
    ts: NDArray[np.float64]
    user_ids: Sequence[str]


def kinds_of(kinds: NDArray[np.int32], outcomes: Sequence[Outcome]) -> NDArray[np.int32]:
    """The kinds of events with what became of them, as `KINDS` numbers those of the log."""
    found = np.array(outcomes, np.int32)
    return np.where(found == Outcome.PLAIN, kinds, Kind.ORDER + found).astype(np.int32)


def in_turns(
    events: LearningBatch, user_ids: Sequence[str]
) -> Iterator[tuple[LearningBatch | CancelledOrders, Sequence[str]]]:
    """Yield events to learn and orders to forget, in their order, with their users. What never
    counted is left out.
    """
    classes = np.where(events.kinds <= Kind.ORDER, Kind.ORDER, events.kinds)
    bounds = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist(), len(classes)]
    for start, end in pairwise(bounds):
        rows = slice(start, end)
        part = LearningBatch(events.items[rows], events.sessions[rows], events.ts[rows], events.kinds[rows])
        if classes[start] == Kind.ORDER:
            yield part, user_ids[rows]
        elif classes[start] == UNDONE:
            sessions = np.where(part.sessions == NAMELESS, NO_SESSION, part.sessions).astype(np.uint64)
            yield CancelledOrders(part.items, sessions, part.ts, user_ids[rows]), user_ids[rows]


def unlearn(recommender: Recommender, orders: CancelledOrders) -> None:
    """Let the recommender, and a learned ranker beside it, forget these orders."""
    if not len(orders.items):
        return
    sessions = np.array([_session(recommender.index, *each) for each in zip(*orders, strict=True)], np.uint64)
    if recommender.learned is not None:
        recommender.learned.unlearn(sessions, orders.items, orders.ts)
    recommender.index.take_out(sessions, orders.items, orders.ts)
    weight = recommender.settings.profile.weight(Kind.ORDER)
    recommender.trending.take_back(orders.items, orders.ts, weight)
    recommender.catalogue.facts.take_back(orders.items, Kind.ORDER, orders.ts)
    recommender.catalogue_changed()


def _session(index: NeighbourIndex, item: int, session: int, ts: float, user_id: str) -> int:
    """The hash of the order's session; where it has no id, that of the user's in which the item was
    seen then.

    A session without an id is named after the time of its first event. So it is the user's if one
    of its times gives its name. A single one that nothing tells apart is taken.
    """
    if session != NO_SESSION:
        return session
    found = index.sessions_at(item, ts)
    for key, times in found.items():
        if any(hash_session(name_session(user_id, each)) == key for each in times):
            return key
    return next(iter(found)) if len(found) == 1 else NO_SESSION

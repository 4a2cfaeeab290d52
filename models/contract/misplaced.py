"""Events that lie in another partition than their user's: which, and what becomes of them."""

from dataclasses import dataclass

import numpy as np

from models.contract.event_codec import reject
from models.contract.events import RawBatch
from models.contract.interactions import Interactions
from models.contract.moved import Moved
from models.contract.outcome import Reason, Rejected
from models.contract.partitioner import MOVE
from models.contract.placement import Placement, places


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What to move, what to refuse, and the number of events in the right partition whose key is
    not the user id.
    """

    moved: list[Moved]
    refused: list[Rejected]
    in_place: int


def sort_out(batch: RawBatch, found: Interactions, placement: Placement) -> tuple[Interactions, Elsewhere]:
    """The accepted events of a batch that lie in their user's partition, and what becomes of the
    others.

    What was moved is never moved again: workers with different settings would do it for ever.
    """
    if batch.moved_to is not None or not len(found):
        return found, Elsewhere([], [], 0)
    rows = np.searchsorted(batch.offsets, found.offsets)
    keys = batch.keys if len(found) == len(batch) else [batch.keys[row] for row in rows.tolist()]
    given = places(placement, batch.partition, keys, found.user_ids)
    here = given.homes == batch.partition
    in_place = int(np.count_nonzero(here & ~given.keyed))
    if here.all():
        return found, Elsewhere([], [], in_place)
    away = np.flatnonzero(~here).tolist()
    if placement.misplaced == MOVE:
        moved = [Moved.of(batch, int(rows[each]), int(given.homes[each]), found.user_ids[each]) for each in away]
        return found.only(here), Elsewhere(moved, [], in_place)
    refused = [
        reject(batch, int(rows[each]), Reason.FOREIGN_KEY, _detail(batch.partition, int(given.homes[each])))
        for each in away
    ]
    return found.only(here), Elsewhere([], refused, in_place)


def _detail(partition: int, home: int) -> str:
    return (
        f"the user's events belong in partition {home}, and this one is in {partition}: its key is not the user id, "
        "or its producer places keys in another way than HEADRACE_KAFKA_PARTITIONER says"
    )

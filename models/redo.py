"""The part of a batch whose writes were refused, cut out to be done again, and put back."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.processor import Admitted, Effects


def only_users(admitted: Admitted, rows: Sequence[int]) -> Admitted:
    """The batch with the events of these users alone; `rows` are places in `admitted.users`."""
    place = np.full(len(admitted.users), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    user_of, users = place[admitted.user_of], [admitted.users[row] for row in rows]
    chosen = user_of >= 0
    return replace(admitted, interactions=admitted.interactions.only(chosen), users=users, user_of=user_of[chosen])


def put_back(effects: Effects, admitted: Admitted, rows: Sequence[int], redone: Effects) -> Effects:
    """The effects of the batch with what became of these users when their part was done again.

    Their events may belong to other sessions now, which `interactions` name.
    """
    lists, interactions = list(effects.writes.lists), list(effects.interactions)
    for row, encoded in zip(rows, redone.writes.lists, strict=True):
        lists[row] = encoded
    for event, encoded in zip(_events_of(admitted, rows).tolist(), redone.interactions, strict=True):
        interactions[event] = encoded
    return replace(effects, writes=replace(effects.writes, lists=lists), interactions=interactions)


def _events_of(admitted: Admitted, rows: Sequence[int]) -> NDArray[np.intp]:
    return np.flatnonzero(np.isin(admitted.user_of, np.asarray(rows, np.int32)))

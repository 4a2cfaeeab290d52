"""The part of some batches whose writes were refused, cut out to be done again, and put back."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from models.processor import Admitted, Effects


def only_users(admitted: Admitted, users: Collection[str]) -> Admitted:
    """The batch with the events of these users alone."""
    rows = [row for row, user in enumerate(admitted.users) if user in users]
    place = np.full(len(admitted.users), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    user_of = place[admitted.user_of]
    chosen = user_of >= 0
    return replace(
        admitted,
        interactions=admitted.interactions.only(chosen),
        users=[admitted.users[row] for row in rows],
        user_of=user_of[chosen],
    )


def put_back(effects: Effects, admitted: Sequence[Admitted], redone: Effects) -> Effects:
    """The effects of the batches with what became of some users when their part was done again.

    Their events may belong to other sessions now, which `interactions` name.
    """
    again = dict(zip(redone.writes.user_ids, redone.writes.lists, strict=True))
    lists = [
        again.get(user, encoded) for user, encoded in zip(effects.writes.user_ids, effects.writes.lists, strict=True)
    ]
    interactions = []
    for part, before, after in zip(admitted, effects.interactions, redone.interactions, strict=True):
        new = iter(after)
        users = part.interactions.user_ids
        interactions.append([next(new) if user in again else old for user, old in zip(users, before, strict=True)])
    return replace(effects, writes=replace(effects.writes, lists=lists), interactions=interactions)

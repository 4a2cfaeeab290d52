"""Profiles of a batch's users: out of the table, or out of the store."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.ports import UserStore
from models.users.stored import decode_profile, is_old
from models.users.table import MISSING, UserTable


async def load_users(table: UserTable, store: UserStore, user_ids: Sequence[str]) -> NDArray[np.int32]:
    """The slots of these users, each named once, in the table; shape (users,)."""
    slots = table.find(user_ids)
    missing = slots == MISSING
    if missing.any():
        absent = [user_ids[row] for row in np.flatnonzero(missing).tolist()]
        stored = await store.load(absent)
        profiles = {user: decode_profile(user, fields) for user, fields in zip(absent, stored, strict=True)}
        slots[missing] = table.add(profiles)
        table.note_old(slots[missing][[is_old(fields) for fields in stored]])
    return slots

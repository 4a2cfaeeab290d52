"""Profiles of a batch's users: out of the table, or out of the store."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.ports import UserStore
from models.users.revision import REVISION, is_behind, unpack_revisions
from models.users.stored import StoredFields, decode_profile, is_old
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
        _note(table, slots[missing], stored)
    return slots


async def reload_users(table: UserTable, store: UserStore, user_ids: Sequence[str], slots: NDArray[np.int32]) -> None:
    """Take over what the store has of users whose writes it refused; they keep their slots, shape
    (users,).

    Others wrote them first: their profiles are loaded, and lack this worker's last events. Or the
    store lost its last writes, as after a failover: where the table has all that is stored, it
    keeps its profile.
    """
    stored = await store.load(user_ids)
    known = table.revisions(slots).tolist()
    lost = np.array([is_behind(*each) for each in zip(_revisions(stored).tolist(), known, strict=True)], np.bool_)
    profiles = [decode_profile(user, fields) for user, fields in zip(user_ids, stored, strict=True)]
    taken = [
        row
        for row, (slot, profile) in enumerate(zip(slots.tolist(), profiles, strict=True))
        if not lost[row] or (profile is not None and not _has_all(table.profile(slot).applied, profile.applied))
    ]
    table.replace(slots[taken], [profiles[row] for row in taken])
    _note(table, slots, stored)


def _note(table: UserTable, slots: NDArray[np.int32], stored: Sequence[StoredFields]) -> None:
    table.note_revisions(slots, _revisions(stored))
    table.note_old(slots[[is_old(fields) for fields in stored]])


def _revisions(stored: Sequence[StoredFields]) -> NDArray[np.uint64]:
    return unpack_revisions([fields.get(REVISION) for fields in stored])


def _has_all(applied: Mapping[str, int], others: Mapping[str, int]) -> bool:
    """Whether everything that the others applied is applied."""
    return all(applied.get(source, -1) >= offset for source, offset in others.items())

"""Makes profiles again from the topic `interactions`, with the compiled step that workers use.

A worker appends its interactions in the order in which it applied them to profiles, so the result
is what the worker stored, to the byte, where the log is complete. Two things may differ after a
crash between Redis and Kafka, because batches may come back in another order: the last digits of
decayed counts, and how sessions without an id are divided.

A record that says that a user is forgotten ends what was known of the user.
"""

import math
import sys
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from models.contract.cancelled import CANCELLATIONS
from models.contract.events import KIND_OF_LABEL, Kind, RawBatch
from models.contract.forgetting import forgotten_user
from models.contract.identity import identities
from models.contract.json_names import JsonNames
from models.contract.wire import Learned, decode_log
from models.neighbours.name_table import NameTable
from models.profile import Profile, ProfileSettings
from models.users.arrays import Steps
from models.users.cancelling import Orders, concern, step_orders
from models.users.share import Share
from models.users.stored import StoredFields, encode_profiles
from models.users.table import MISSING, UserTable, is_named_here
from models.vocabulary import Vocabulary


class Users(Protocol):
    """Which users are meant."""

    def holds(self, user_id: str) -> bool:
        """Whether the user is one of them."""


class Rebuilding:
    """Profiles of some users, from the records of `interactions` in the order of the log.

    A stored profile expires `expire_seconds` after it was written last. So a user who stayed away
    for longer, by the broker's times, begins with an empty profile; `returned` has these users. A
    worker that kept the profile in memory meanwhile stored it whole.
    """

    def __init__(self, settings: ProfileSettings, users: Users, expire_seconds: float = math.inf) -> None:
        items = Vocabulary()
        self._table = UserTable(settings, items, NameTable(items), sys.maxsize)
        self._names = JsonNames(items)
        self.users = users
        self._expire_seconds = expire_seconds
        self._seen_at: dict[str, float] = {}
        self.returned: set[str] = set()

    def __len__(self) -> int:
        """The number of users."""
        return len(self._seen_at)

    @property
    def user_ids(self) -> list[str]:
        """The users of whom the log had interactions, in the order of the first."""
        return list(self._seen_at)

    def seen_at(self, user_id: str) -> float:
        """The broker's time of the user's last interaction, in seconds since 1970; 0 for none."""
        return self._seen_at.get(user_id, 0.0)

    def apply(self, batch: RawBatch) -> None:
        """Apply records of one partition of `interactions`."""
        run: list[Learned] = []
        for row, (event, time) in enumerate(zip(decode_log(batch.values), batch.times.tolist(), strict=True)):
            if event is None:
                if (user := forgotten_user(batch, row)) in self._seen_at:
                    self._step(run)
                    run = []
                    self._drop([user])
                continue
            if not (event.user_id in self._seen_at or self.users.holds(event.user_id)):
                continue
            is_back = time - self._seen_at.get(event.user_id, time) > self._expire_seconds
            if run and (is_back or (event.source, event.kind) != (run[0].source, run[0].kind)):
                self._step(run)
                run = []
            if is_back:
                self._table.discard(self._table.find([event.user_id]))
                self.returned.add(event.user_id)
            self._seen_at[event.user_id] = time
            run.append(event)
        self._step(run)

    def narrow(self, share: Share) -> None:
        """Keep only the users of this share, and take in no others."""
        self.users = share
        self._drop([user for user in self._seen_at if not share.holds(user)])

    def profile(self, user_id: str) -> Profile:
        """The user's profile; empty for one of whom the log had nothing."""
        slot = int(self._table.find([user_id])[0])
        return Profile() if slot == MISSING else self._table.profile(slot)

    def encode(self, user_ids: Sequence[str]) -> list[StoredFields]:
        """The fields of these users' hashes. Each user must be one of `user_ids`."""
        slots = self._table.find(user_ids)
        seen = self._table.requests(slots, np.zeros(len(slots), np.uint64), 0)
        return encode_profiles(self._table, slots, seen, self._names)

    def _drop(self, user_ids: Sequence[str]) -> None:
        self._table.discard(self._table.find(user_ids))
        self.returned.difference_update(user_ids)
        for user in user_ids:
            del self._seen_at[user]

    def _step(self, events: Sequence[Learned]) -> None:
        if not events:
            return
        place_of: dict[str, int] = {}
        user_of = [place_of.setdefault(each.user_id, len(place_of)) for each in events]
        slots = self._table.find(list(place_of))
        new = [user for user, slot in zip(place_of, slots.tolist(), strict=True) if slot == MISSING]
        slots[slots == MISSING] = self._table.add(dict.fromkeys(new))
        source, places = self._table.number_source(events[0].source)
        count = len(events)
        steps = Steps(
            slots=slots[user_of],
            items=self._table.items.numbers([each.item_id for each in events]),
            ts=np.fromiter((each.ts for each in events), np.float64, count),
            offsets=np.fromiter((each.offset for each in events), np.int64, count),
            named=np.fromiter((not is_named_here(each.session_id, each.user_id) for each in events), np.bool_, count),
            opened=np.zeros(count),
            places=places,
            source=source,
            kind=int(KIND_OF_LABEL.get(events[0].kind, Kind.ORDER)),
        )
        cancelling = np.ones(count, np.bool_) if events[0].kind in CANCELLATIONS else None
        if not concern(self._table, steps, cancelling):
            self._table.step(steps)
            return
        user_ids = [each.user_id for each in events]
        if cancelling is None:
            cancelling = np.zeros(count, np.bool_)
        step_orders(self._table, steps, Orders(identities(events, user_ids), cancelling))

"""Corrects lists at once when an item may no longer be shown, instead of at the user's next
event.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.metrics import Metrics
from agents.ports import Clock, Outbox, UserStore, WriteOutcome
from agents.users import load_users, reload_users
from models.bounded import parts
from models.processor import ListMaker
from models.ranking.lists import NO_ITEM
from models.shown import Holder, Shown, mark
from models.users.writes import ListWrites

# While they are loaded and written, a batch of events waits for the lock.
USERS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Refresh:
    """Writes again the lists that hold an item which went away, of the users that this worker wrote
    lately.

    `write_lock` is held by whoever takes profiles and writes lists, so that no older list
    overwrites a newer one; `emit_lock` by whoever emits them, in the same order. The store refuses
    the list of a user whom another write reached first; it is then made again, from the profile
    that is stored.
    """

    maker: ListMaker
    shown: Shown
    users: UserStore
    outbox: Outbox
    metrics: Metrics
    clock: Clock
    write_lock: asyncio.Lock
    emit_lock: asyncio.Lock
    gone: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        """Wait for items that went away, and correct what shows them; ends by being cancelled."""
        while True:
            items = {await self.gone.get()}
            while not self.gone.empty():
                items.add(self.gone.get_nowait())
            await self.handle(items)

    async def handle(self, items: set[str]) -> None:
        """Correct all lists that show any of these items, unless it may be shown again
        meanwhile.

        Each list is looked at once. One that is written meanwhile was made without these items, as
        whoever makes lists holds the lock from its decision on.
        """
        recommender, place = self.maker.recommender, 0
        marked = mark(recommender.items.numbers(sorted(items)))
        while True:
            async with self.write_lock:
                # Asked under the lock: a batch may just have stored a list that it decided on
                # before.
                if place >= len(self.shown):
                    return
                gone = marked & (recommender.catalogue.weight[: len(marked)] == 0)
                holders, place = self.shown.find_holders(gone, place, self._users_at_once)
                if holders:
                    await self._correct(holders)
            await asyncio.sleep(0)  # to whoever waits, also if nothing above did

    async def renew(self, items: Sequence[str], most: int) -> None:
        """Write again the lists of at most `most` users whose lists show any of these items."""
        holders = self.shown.holders_of(self.maker.recommender.items.numbers(items))[-most:]
        for users in parts(len(holders), self._users_at_once):
            async with self.write_lock:
                await self._correct(holders[users])

    @property
    def _users_at_once(self) -> int:
        return min(USERS_AT_ONCE, self.maker.recommender.users_at_once)

    async def _correct(self, holders: Sequence[Holder]) -> None:
        slots = await load_users(self.maker.table, self.users, [holder.user_id for holder in holders])
        while holders:
            # A rebalance during any wait gives these users to another worker, whose lists are
            # newer.
            still = [row for row, holder in enumerate(holders) if self.shown.has(holder)]
            holders, slots = [holders[row] for row in still], slots[still]
            refused = await self._make_and_write(holders, slots)
            holders, slots = [holders[row] for row in refused], slots[refused]
            if refused:
                self.metrics.refused_writes.labels("list").inc(len(refused))
                await reload_users(self.maker.table, self.users, [holder.user_id for holder in holders], slots)

    async def _make_and_write(self, holders: Sequence[Holder], slots: NDArray[np.int32]) -> list[int]:
        """Returns the rows of the users whose lists were refused."""
        asked = self.maker.request(slots, np.array([holder.session for holder in holders], np.uint64))
        lists = self.maker.recommender.recommend(asked)
        # Who has no profile any more is gone, and the list with it in a moment.
        has_profile = asked.starts[:-1] < asked.starts[1:]
        lists.items[~has_profile] = NO_ITEM
        user_ids = [holder.user_id for holder in holders]
        encoded = self.maker.encode(user_ids, asked, lists, self.clock())
        partitions = np.array([holder.partition for holder in holders], np.int32)
        refused: list[int] = []
        for partition in np.unique(partitions).tolist():
            rows = np.flatnonzero(partitions == partition)
            users = [user_ids[row] for row in rows.tolist()]
            self.shown.put(users, partition, asked.sessions[rows], lists.items[rows], lists.sources[rows])
            made = [row for row in rows.tolist() if has_profile[row] and self.shown.has_user(user_ids[row])]
            fence = self.maker.table.supersede(slots[made])
            writes = ListWrites([user_ids[row] for row in made], [encoded[row] for row in made], fence)
            written = await self._write(partition, writes)
            refused += [row for row, each in zip(made, written, strict=True) if each is WriteOutcome.REFUSED]
        return refused

    async def _write(self, partition: int, writes: ListWrites) -> list[WriteOutcome]:
        written = await self.users.correct(writes)
        rows = zip(writes.user_ids, writes.lists, written, strict=True)
        emitted = {user: encoded for user, encoded, each in rows if each is WriteOutcome.DONE}
        async with self.emit_lock:
            await self.outbox.recommendations(partition, emitted)
        self.metrics.recommendations.inc(len(emitted))
        return written

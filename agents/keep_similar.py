"""Keep the list of similar items of each item, for look-ups.

A list is written when the item's vector arrives, and again after users touched the item.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

import numpy as np

from agents.ports import Clock, Replicas, SimilarStore
from models.contract.lists import Ranking, encode_similar
from models.recommender import FEWEST_USERS_AT_ONCE, Recommender

ITEMS_AT_ONCE = 8
LIST_SIZE = 20
# Limits of this work, because lists of users come first: its share of the worker's time, and the
# number of items that may wait for it.
SHARE = 0.05
MOST_WAITING = 20_000
SHORTEST_PAUSE_SECONDS = 0.005
LOOKED_AT_ONCE = 500
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class KeepSimilar:
    """Writes the lists of similar items in the background.

    The newest items come first, then items that are similar to those. Every worker has the same
    vectors. The owner of a new item's partition writes the item's list; any worker writes the list
    of an item that its users touched. `clock` gives seconds, to measure the time spent.
    """

    recommender: Recommender
    store: SimilarStore
    replicas: Replicas
    owned: Callable[[], Set[int]]
    clock: Clock = perf_counter
    _new: dict[str, None] = field(default_factory=dict)
    _changed: dict[str, None] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def arrived(self, partition: int, item_ids: Sequence[str]) -> None:
        """Queue these items of this partition, which have new vectors."""
        if not self.replicas.behind and partition in self.owned():
            self._queue_new(item_ids)

    def touched(self, item_ids: Iterable[str]) -> None:
        """Queue these items, with which users of this worker interacted."""
        if len(self._changed) < MOST_WAITING:
            self._changed.update(dict.fromkeys(item_ids))
            self._wake.set()

    async def run(self) -> None:
        """Write a few lists at a time, with pauses, until cancelled."""
        while True:
            await self._wake.wait()
            moment = await self.store.moment()
            started = self.clock()
            lists = self.next_lists()
            spent = self.clock() - started
            await self.store.write(lists, moment)
            await asyncio.sleep(max(spent / SHARE, SHORTEST_PAUSE_SECONDS))

    async def watch(self) -> None:
        """Look for missing lists in each partition that this worker gets, until cancelled."""
        seen: Set[int] = set()
        while True:
            await self.replicas.caught_up()
            owned = frozenset(self.owned())
            for partition in sorted(owned - seen):
                await self.find_missing(partition)
            seen = owned
            await asyncio.sleep(WATCH_SECONDS)

    async def find_missing(self, partition: int) -> None:
        """Queue the partition's items that have no list.

        Their last worker may have ended before it wrote them.
        """
        names = self.recommender.items.names
        rows = iter(np.flatnonzero(self.recommender.catalogue.partition == partition).tolist())
        while part := [names[row] for row in islice(rows, LOOKED_AT_ONCE)]:
            self._queue_new(await self.store.missing(part))

    def _queue_new(self, item_ids: Sequence[str]) -> None:
        for item_id in item_ids:
            self._new.pop(item_id, None)  # so that it moves to the end, among the newest
            self._new[item_id] = None
            self._wake.set()

    def next_lists(self) -> dict[str, bytes | None]:
        """Return the lists of some waiting items; None for an item to which nothing is similar."""
        waiting, is_new = (self._new, True) if self._new else (self._changed, False)
        lists: dict[str, bytes | None] = {}
        # Items that users touched are taken oldest first: items touched all the time must not hide
        # the rest.
        at_once = max(1, min(ITEMS_AT_ONCE, self.recommender.users_at_once // FEWEST_USERS_AT_ONCE))
        for item_id in list(islice(reversed(waiting) if is_new else waiting, at_once)):
            del waiting[item_id]
            if self.recommender.catalogue.is_deleted(item_id):
                continue
            found = self.recommender.similar(item_id, LIST_SIZE)
            lists[item_id] = self._encoded(item_id, found) if found.item_ids else None
            if is_new:
                self._changed.update(dict.fromkeys(found.item_ids))
        if not self._new and not self._changed:
            self._wake.clear()
        return lists

    def _encoded(self, item_id: str, found: Ranking) -> bytes:
        items = self.recommender.items
        numbers = items.numbers([item_id, *found.item_ids])
        return encode_similar(found, self.recommender.index.shared_sessions(int(numbers[0]), numbers[1:]).tolist())

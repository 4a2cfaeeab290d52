"""What is like each item, for look-ups: written when an item's vector arrives, and when users touched it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

import numpy as np

from agents.ports import Replicas, SimilarStore
from models.contract.lists import encode_similar
from models.recommender import Recommender

ITEMS_AT_ONCE = 8
LIST_SIZE = 20
# Lists of users come first: this may take so much of the worker's time, and waits for no more items than that.
SHARE = 0.05
MOST_WAITING = 20_000
SHORTEST_PAUSE_SECONDS = 0.005
LOOKED_AT_ONCE = 500
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class KeepSimilar:
    """Writes the neighbours of items in the background, those of the newest first, then those that they are like.

    Every worker knows the same: one of them writes a new item's list, and any of them one that its users touched.
    """

    recommender: Recommender
    store: SimilarStore
    replicas: Replicas
    owned: Callable[[], Set[int]]
    _new: dict[str, None] = field(default_factory=dict)
    _changed: dict[str, None] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def arrived(self, partition: int, item_ids: Sequence[str]) -> None:
        """These items have new vectors, which stand in this partition."""
        if not self.replicas.behind and partition in self.owned():
            self._queue_new(item_ids)

    def touched(self, item_ids: Iterable[str]) -> None:
        """Users of this worker did something with these items."""
        if len(self._changed) < MOST_WAITING:
            self._changed.update(dict.fromkeys(item_ids))
            self._wake.set()

    async def run(self) -> None:
        """Write for ever, a few lists at a time with pauses; ends by being cancelled."""
        while True:
            await self._wake.wait()
            started = perf_counter()
            lists = self.next_lists()
            spent = perf_counter() - started
            await self.store.write(lists)
            await asyncio.sleep(max(spent / SHARE, SHORTEST_PAUSE_SECONDS))

    async def watch(self) -> None:
        """Look for lists that are missing in each partition that comes to this worker; ends by being cancelled."""
        seen: Set[int] = set()
        while True:
            await self.replicas.caught_up()
            owned = frozenset(self.owned())
            for partition in sorted(owned - seen):
                await self.find_missing(partition)
            seen = owned
            await asyncio.sleep(WATCH_SECONDS)

    async def find_missing(self, partition: int) -> None:
        """Queue the partition's items without a list: the worker that had them in its queue may have ended."""
        names = self.recommender.items.names
        rows = iter(np.flatnonzero(self.recommender.catalogue.partition == partition).tolist())
        while part := [names[row] for row in islice(rows, LOOKED_AT_ONCE)]:
            self._queue_new(await self.store.missing(part))

    def _queue_new(self, item_ids: Sequence[str]) -> None:
        for item_id in item_ids:
            self._new.pop(item_id, None)  # or it would keep its place among the older ones
            self._new[item_id] = None
            self._wake.set()

    def next_lists(self) -> dict[str, bytes | None]:
        """The lists of some items that wait, None where nothing is like the item."""
        waiting, is_new = (self._new, True) if self._new else (self._changed, False)
        lists: dict[str, bytes | None] = {}
        # What users touched is written in its turn: what they touch all the time must not hide the rest.
        for item_id in list(islice(reversed(waiting) if is_new else waiting, ITEMS_AT_ONCE)):
            del waiting[item_id]
            if self.recommender.catalogue.is_deleted(item_id):
                continue
            found = self.recommender.similar(item_id, LIST_SIZE)
            lists[item_id] = encode_similar(found) if found.item_ids else None
            if is_new:
                self._changed.update(dict.fromkeys(found.item_ids))
        if not self._new and not self._changed:
            self._wake.clear()
        return lists

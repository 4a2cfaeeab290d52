"""Offers a new item at once to users whose lists hold what is like it, instead of at their next
event.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from agents.ports import Replicas
from agents.refresh import Refresh
from models.recommender import Recommender

# A whole catalogue may arrive at once; then users meet most of it with their next event.
ITEMS_AT_ONCE = 8
USERS_AT_ONCE = 500
ALIKE = 20
PAUSE_SECONDS = 0.25
# While a catalogue arrives, this would take half of the worker's time from those who are clicking.
SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Introduce:
    """Recomputes lists of users who were shown similar items, for the items that arrived last."""

    recommender: Recommender
    refresh: Refresh
    replicas: Replicas
    new: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def arrived(self, _partition: int, item_ids: Sequence[str]) -> None:
        """These items have new vectors."""
        if not self.replicas.behind:
            for item_id in item_ids[-ITEMS_AT_ONCE:]:
                self.new.put_nowait(item_id)

    async def run(self) -> None:
        """Wait for new items, and write the lists that may hold them now; ends by being
        cancelled.
        """
        while True:
            items = [await self.new.get()]
            while not self.new.empty():
                items.append(self.new.get_nowait())
            started = perf_counter()
            await self.handle(items[-ITEMS_AT_ONCE:])
            await asyncio.sleep(max(PAUSE_SECONDS, (perf_counter() - started) / SHARE))

    async def handle(self, items: Sequence[str]) -> None:
        """Write the lists of some users who were shown what is like these items."""
        alike: set[str] = set()
        for item_id in items:
            alike.update(self.recommender.similar(item_id, ALIKE).item_ids)
            await asyncio.sleep(0)  # among many vectors, each takes as long as a user's list
        if alike:
            await self.refresh.renew(sorted(alike), USERS_AT_ONCE)

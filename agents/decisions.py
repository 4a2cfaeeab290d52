"""Follow what the shop decided on hidden items, and publish which items are hidden."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, field

from agents.assess import Assess
from agents.follow_vectors import FollowVectors
from agents.ports import DecisionStore

PAUSE_SECONDS = 2.0
MOST_HIDDEN = 10_000
# Redis may have lost the list, so an unchanged one is written again after this many looks.
LOOKS_UNTIL_AGAIN = 30


@dataclass(slots=True)
class FollowDecisions:
    """Applies the shop's decisions in this worker, and to what this worker stores.

    `owned` gives the partitions of `items` that are this worker's, and `publishes` whether it is
    the one that writes what all workers know.
    """

    store: DecisionStore
    follow: FollowVectors
    assess: Assess
    owned: Callable[[], Set[int]]
    publishes: Callable[[], bool]
    _written: set[int] = field(default_factory=set)
    _published: list[str] | None = None
    _looks: int = 0

    async def run(self) -> None:
        """Look every two seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(PAUSE_SECONDS)

    async def look(self) -> None:
        """Apply what was decided since the last look, and publish what is hidden now."""
        changed = self.follow.allow(await self.store.allowed())
        owned = set(self.owned())
        # The last owner of a partition may have ended before it wrote what was decided.
        again = self.follow.allowed if owned - self._written else frozenset()
        self._written = owned
        if affected := sorted(changed | again):
            await self.assess.write_again(affected)
        await self._publish()

    async def _publish(self) -> None:
        self._looks += 1
        if not self.publishes():
            self._published = None
            return
        hidden = self.follow.hidden(MOST_HIDDEN)
        if hidden != self._published or self._looks % LOOKS_UNTIL_AGAIN == 0:
            await self.store.publish_hidden(hidden)
            self._published = hidden

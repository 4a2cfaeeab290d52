"""Corrects lists at once when an item may no longer be shown, instead of at the user's next event."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.metrics import Metrics
from agents.ports import Clock, Outbox, UserStore
from models.contract.lists import Recommendation, encode_recommendation
from models.processor import MODEL_NAME
from models.recommender import Asker, Recommender
from models.shown import Holder, Shown

# With a vector for each of 100,000 items, that many lists take 30 ms, in which nothing else is done.
USERS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Refresh:
    """Writes the lists anew that hold an item which went away, of the users that this worker wrote lately.

    `turn` is held by whoever takes profiles and writes lists, so that no older list overwrites a newer one.
    """

    recommender: Recommender
    shown: Shown
    users: UserStore
    outbox: Outbox
    metrics: Metrics
    clock: Clock
    turn: asyncio.Lock
    gone: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        """Wait for items that went away, and correct what shows them; ends by being cancelled."""
        while True:
            items = {await self.gone.get()}
            while not self.gone.empty():
                items.add(self.gone.get_nowait())
            await self.handle(items)

    async def handle(self, items: set[str]) -> None:
        """Correct all lists that show any of these items, unless it may be shown again meanwhile."""
        is_shown = self.recommender.catalogue.is_shown
        while True:
            async with self.turn:
                # Looked up within the turn: a batch may just have stored a list that it decided on before.
                gone = sorted(item for item in items if not is_shown(item))
                holders = self.shown.holders_of(self.recommender.items.numbers(gone))[:USERS_AT_ONCE]
                if not holders:
                    return
                await self._correct(holders)

    async def renew(self, items: Sequence[str], most: int) -> None:
        """Write the lists anew of at most so many users whose lists show any of these items."""
        holders = self.shown.holders_of(self.recommender.items.numbers(items))[-most:]
        for first in range(0, len(holders), USERS_AT_ONCE):
            async with self.turn:
                await self._correct(holders[first : first + USERS_AT_ONCE])

    async def _correct(self, holders: Sequence[Holder]) -> None:
        profiles = await self.users.load([holder.user_id for holder in holders])
        # A rebalance during any wait gives these users to another worker, whose lists are newer.
        holders = [holder for holder in holders if self.shown.has(holder)]
        # Who has no profile any more is gone, and the list with it in a moment.
        for holder in holders:
            if not profiles[holder.user_id].recent:
                self.shown.put(holder, ())
        holders = [holder for holder in holders if profiles[holder.user_id].recent]
        rankings = self.recommender.recommend([Asker(profiles[each.user_id], each.session) for each in holders])
        by_partition: dict[int, dict[str, bytes]] = {}
        for holder, ranking in zip(holders, rankings, strict=True):
            user = holder.user_id
            recommendation = Recommendation(user, ranking, profiles[user].newest_ts, self.clock(), MODEL_NAME)
            by_partition.setdefault(holder.partition, {})[user] = encode_recommendation(recommendation)
            self.shown.put(holder, ranking.item_ids)
        for partition, lists in by_partition.items():
            kept = {user: encoded for user, encoded in lists.items() if self.shown.has_user(user)}
            corrected = await self.users.correct(kept)
            emitted = {user: encoded for user, encoded in kept.items() if user in corrected}
            await self.outbox.recommendations(partition, emitted)
            self.metrics.recommendations.inc(len(emitted))

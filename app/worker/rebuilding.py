"""Makes profiles again when Redis lost its data, in the background."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import time
from uuid import uuid4

from agents.metrics import Metrics
from agents.ports import CatalogueMarks
from agents.rebuild import Rebuild
from app.errors import HeadraceError
from app.kafka.whole_log import whole_log
from app.settings import Settings
from app.store.marks import RedisMarks
from app.store.profiles import RedisRebuilt
from app.store.store import Store
from app.worker.outside import Outside
from models.users.share import ALL_USERS

SECONDS_A_DAY = 86_400.0
CHECK_SECONDS = 2.0
WHOLE = "whole"
# Small portions, so that events and probes go on: about 5 ms of work at a time.
READ_AT_ONCE = 1_000
USERS_AT_ONCE = 20_000  # 0.5 to 2 kB each; for more, the log is read again

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class RebuildOwn:
    """Rebuilds the profiles of this worker's users where Redis lost data.

    A mark in Redis for each partition says that its profiles are whole; a Redis that lost its data
    lost the marks too. During a rebuild the mark holds a claim, which shows if Redis was emptied
    once more. Everything else may write meanwhile: a write is refused where another one came first.
    `owned` gives the partitions of the users.
    """

    settings: Settings
    store: Store
    marks: CatalogueMarks
    owned: Callable[[], Collection[int]]
    metrics: Metrics
    _lost: bool = False

    def lose(self) -> None:
        """Redis lost data, although its marks may be there: it went back to an older state."""
        self._lost = True

    async def run(self) -> None:
        """Check the marks every 2 s until cancelled. While Kafka or Redis is away, try again."""
        while True:
            try:
                await self._check()
            except HeadraceError as error:
                logger.warning("profiles are not restored yet, trying again: %s", error)
                self._lost = True
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> None:
        owned = sorted(self.owned())
        marks = dict(zip(owned, await self.marks.load(owned), strict=True))
        lost = {partition: mark for partition, mark in marks.items() if self._lost or mark != WHOLE}
        self._lost = False
        claim = uuid4().hex
        claimed = [partition for partition, mark in lost.items() if await self.marks.swap(partition, mark, claim)]
        if claimed:
            await self._rebuild(claimed)
            for partition in claimed:
                await self.marks.swap(partition, claim, WHOLE)

    async def _rebuild(self, partitions: Collection[int]) -> None:
        async with whole_log(
            self.settings.kafka, "interactions", lambda _: None, partitions=partitions, at_once=READ_AT_ONCE
        ) as log:
            rebuild = Rebuild(
                log=log,
                store=RedisRebuilt(self.store.redis, self.store.keys),
                settings=self.settings.profile,
                expire_seconds=self.settings.redis.expire_days * SECONDS_A_DAY,
                clock=time,
                mark=secrets.randbits(32),
                at_once=USERS_AT_ONCE,
            )
            done = await rebuild.run(ALL_USERS)
        self.metrics.rebuilt_profiles.inc(done.written)
        if done.users:
            logger.info(
                "Redis may have lost profiles of %d partitions: %d of %d were written again from the log",
                len(partitions),
                done.written,
                done.users,
            )


def build_rebuild(settings: Settings, outside: Outside, owned: Callable[[], Collection[int]]) -> RebuildOwn:
    """Return the job that rebuilds profiles. It is not running yet."""
    store = outside.store
    marks = RedisMarks(store.redis, store.keys, store.retry, outside.names.interactions)
    return RebuildOwn(settings, store, marks, owned, outside.metrics)

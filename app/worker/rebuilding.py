"""Makes profiles again when Redis lost its data, in the background."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import time
from uuid import uuid4

from agents.metrics import Metrics
from agents.ports import CatalogueMarks, Replicas
from agents.rebuild import Rebuild
from app.errors import HeadraceError
from app.kafka.replicas import KafkaReplicas
from app.kafka.topics import topics
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
    lost the marks too. A partition of which the log has nothing yet gets its mark before anything
    is written, so its mark is never missing unless it was lost. During a rebuild the mark holds a
    claim, which shows if Redis was emptied once more. Everything else may write meanwhile: a write
    is refused where another one came first. `owned` gives the partitions of the users.
    """

    settings: Settings
    store: Store
    marks: CatalogueMarks
    owned: Callable[[], Collection[int]]
    replicas: Replicas
    metrics: Metrics
    _lost: bool = False
    _begun: frozenset[int] = frozenset()

    def lose(self) -> None:
        """Redis lost data, although its marks may be there: it went back to an older state."""
        self._lost = True

    async def begin(self, empty: Collection[tuple[str, int]]) -> None:
        """Mark those of this worker's partitions as whole that are among the `empty` ones, pairs of
        topic and number. Nothing of them may be written before this returns.
        """
        owned, interactions = frozenset(self.owned()), topics(self.settings.kafka).interactions
        for partition in sorted(owned.intersection(number for topic, number in empty if topic == interactions)):
            await self.marks.swap(partition, "", WHOLE)
        self._begun = owned

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
        await self.replicas.caught_up()
        owned = sorted(self._begun.intersection(self.owned()))
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


def build_rebuild(
    settings: Settings, outside: Outside, owned: Callable[[], Collection[int]], replicas: KafkaReplicas
) -> RebuildOwn:
    """Return the job that rebuilds profiles. It is not running yet."""
    store = outside.store
    marks = RedisMarks(store.redis, store.keys, store.retry, outside.names.interactions)
    rebuild = RebuildOwn(settings, store, marks, owned, replicas, outside.metrics)
    replicas.before_first = rebuild.begin
    return rebuild

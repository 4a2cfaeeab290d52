"""Ask a second, slower judge about texts of which the quality model is unsure.

No user waits for its answer.
"""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from agents.follow_vectors import FollowVectors
from agents.metrics import SecondJudgeMetrics
from agents.ports import Assessed, AssessmentStore, Outbox, Replicas, SecondJudge
from models.contract.events import Item
from models.quality.assessment import Assessment
from models.quality.second_judge_score import revised
from models.quality.text import QualitySettings

PAUSE_SECONDS = 1.0
BUSY_SECONDS = 0.1


class _Case(NamedTuple):
    """An item in doubt, its assessment, and the partition of its record."""

    partition: int
    item: Item
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class AskSecondJudge:
    """Judges the items in doubt in this worker's partitions.

    The log shows which items are in doubt: their assessment is in the band and lacks the second
    judge's name. So the queue takes no memory of its own, and a restart loses nothing of it. The
    store receives a verdict before the log does. After a crash between the two, the item is still
    in doubt, and the stored verdict is sent without asking again. `write_lock` is that of `Assess`:
    whoever holds it is the only writer of assessments, and log and store agree.
    """

    judge: SecondJudge
    follow: FollowVectors
    store: AssessmentStore
    outbox: Outbox
    replicas: Replicas
    settings: QualitySettings
    metrics: SecondJudgeMetrics
    owned: Callable[[], Set[int]]
    write_lock: asyncio.Lock
    behind: Callable[[], bool] = lambda: False  # while the worker is behind the stream, the judge pauses

    async def run(self) -> None:
        """Judge all items that come to be in doubt, until cancelled."""
        await self.replicas.caught_up()
        while True:
            await self.catch_up()
            await asyncio.sleep(PAUSE_SECONDS)

    async def catch_up(self) -> None:
        """Judge all items that are in doubt now; later ones are left to the next round."""
        waiting = self.follow.doubtful(self.owned())
        self.metrics.queue.set(sum(map(len, waiting.values())))
        for partition, item_ids in waiting.items():
            for item_id in item_ids:
                while self.behind():
                    await asyncio.sleep(BUSY_SECONDS)
                case = await self._take(partition, item_id)
                if case is not None:
                    with self.metrics.seconds.time():
                        fine = await self.judge.judge(case.item)
                    await self._write(case, revised(case.assessment, fine, self.follow.models.judges))
                self.metrics.queue.dec()

    async def _take(self, partition: int, item_id: str) -> _Case | None:
        """Return the case, or None if there is nothing to ask (any more)."""
        async with self.write_lock:
            item, stored = await self._read(item_id)
            if item is not None and stored is not None and stored.text_hash == self.follow.models.text_hash(item):
                if self.follow.in_doubt(stored):
                    return _Case(partition, item, stored)
                if self.follow.models.judged_twice(stored):
                    await self.outbox.vectors(partition, {item_id: replace(stored, title=item.title)})
            self.follow.settled(item_id)
        return None

    async def _write(self, case: _Case, after: Assessment) -> None:
        item_id = case.item.item_id
        async with self.write_lock:
            # The item may have changed, or the partition moved, during the judgement: the next
            # round handles it.
            item, stored = await self._read(item_id)
            outdated = item is None or stored != case.assessment or case.partition not in self.owned()
            if item is None or outdated or await self.store.write([Assessed(item, after, True, stored)]):
                self.metrics.judged.labels("outdated").inc()
                return
            await self.outbox.vectors(case.partition, {item_id: replace(after, title=item.title)})
            self.follow.settled(item_id)
        self.metrics.judged.labels(_verdict(case.assessment, after, self.settings)).inc()

    async def _read(self, item_id: str) -> tuple[Item | None, Assessment | None]:
        [item], [stored] = await asyncio.gather(self.store.items([item_id]), self.store.load([item_id]))
        return item, stored


def _verdict(before: Assessment, after: Assessment, settings: QualitySettings) -> str:
    shown = after.weight(settings) > 0
    if shown == (before.weight(settings) > 0):
        return "still_shown" if shown else "still_hidden"
    return "now_shown" if shown else "now_hidden"

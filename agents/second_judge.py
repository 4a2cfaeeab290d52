"""Asks a second, slower judge about texts of which the quality model is unsure, while nobody waits for it."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass
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
    """An item in doubt, what is said of it, and the partition of its record."""

    partition: int
    item: Item
    said: Assessment


@dataclass(frozen=True, slots=True)
class AskSecondJudge:
    """Judges what is in doubt in this worker's partitions.

    What is in doubt stands in the log: there an assessment in the band lacks the second judge's name. So the queue
    takes no memory of its own, and a restart loses nothing of it. The store hears of an opinion before the log does:
    a crash between the two leaves the item in doubt, and what the store has is then sent without asking again.
    `turn` is that of `Assess`: under it, log and store agree on an item, and nobody else writes assessments.
    """

    judge: SecondJudge
    follow: FollowVectors
    store: AssessmentStore
    outbox: Outbox
    replicas: Replicas
    settings: QualitySettings
    metrics: SecondJudgeMetrics
    owned: Callable[[], Set[int]]
    turn: asyncio.Lock
    behind: Callable[[], bool] = lambda: False  # while the worker is behind the stream, the judge rests

    async def run(self) -> None:
        """Judge for ever whatever comes to be in doubt."""
        await self.replicas.caught_up()
        while True:
            await self.catch_up()
            await asyncio.sleep(PAUSE_SECONDS)

    async def catch_up(self) -> None:
        """Judge all that is in doubt now; what comes in between is left to the next round."""
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
                    await self._write(case, revised(case.said, fine, self.follow.models.judges))
                self.metrics.queue.dec()

    async def _take(self, partition: int, item_id: str) -> _Case | None:
        """The case, or None where there is nothing to ask (any more)."""
        async with self.turn:
            item, said = await self._read(item_id)
            if item is not None and said is not None and said.text_hash == self.follow.models.text_hash(item):
                if self.follow.in_doubt(said):
                    return _Case(partition, item, said)
                if self.follow.models.judged_twice(said):
                    await self.outbox.vectors(partition, {item_id: said})
            self.follow.settled(item_id)
        return None

    async def _write(self, case: _Case, after: Assessment) -> None:
        item_id = case.item.item_id
        async with self.turn:
            # Item or partition may have changed hands while the judge was thinking: the next round sees to it.
            item, said = await self._read(item_id)
            if item is None or said != case.said or case.partition not in self.owned():
                self.metrics.judged.labels("outdated").inc()
                return
            await self.store.write([Assessed(item, after, is_new=True)])
            await self.outbox.vectors(case.partition, {item_id: after})
            self.follow.settled(item_id)
        self.metrics.judged.labels(_verdict(case.said, after, self.settings)).inc()

    async def _read(self, item_id: str) -> tuple[Item | None, Assessment | None]:
        [item], [said] = await asyncio.gather(self.store.items([item_id]), self.store.load([item_id]))
        return item, said


def _verdict(before: Assessment, after: Assessment, settings: QualitySettings) -> str:
    shown = after.weight(settings) > 0
    if shown == (before.weight(settings) > 0):
        return "still_shown" if shown else "still_hidden"
    return "now_shown" if shown else "now_hidden"

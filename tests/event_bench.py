"""The agent of events on fakes, with crashes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self
from uuid import uuid4

import orjson
import pytest
from builders import NOW, Fields, batch
from event_log import MemoryBegun, MemoryEventLog
from fakes import Away, Diary, ManualClock, MemoryOutbox, MemoryReplicas, OneLog
from memory_users import MemoryUsers
from prometheus_client import CollectorRegistry

from agents.learn import Learn
from agents.metrics import Metrics
from agents.process import Process
from agents.unfinished import Unfinished
from models.contract.event_codec import EventSettings
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.contract.placement import ANYWHERE, Placement
from models.duplicates import DuplicateFilter
from models.plausibility.judge import Plausibility
from models.plausibility.settings import PlausibilitySettings
from models.processor import ListMaker
from models.ranking.lists import RankingSettings
from models.recommender import Recommender, RecommenderSettings
from models.shown import Shown

MOVED = "moved"
A_PROCESS = 1 << 16  # more writes than one makes; each process has marks of its own


class Bench:
    """One worker's agent with everything around it; a restart keeps what is stored and forgets the
    rest.
    """

    def __init__(self, placement: Placement = ANYWHERE, recommender: type[Recommender] = Recommender) -> None:
        self.kind_of_recommender = recommender
        self.placement = placement
        self.diary = Diary()
        self.users = MemoryUsers(self.diary)
        self.outbox = MemoryOutbox(self.diary)
        self.clock = ManualClock(NOW)
        self.logs = OneLog()
        self.begun = MemoryBegun()
        self.log = MemoryEventLog()
        self.lost: set[int] = set()
        self.is_member = True
        self.mark = 0
        self.answers: list[Callable[[], Awaitable[bool]]] = []  # of the group, once each
        self.restart()

    def restart(self) -> None:
        """A new process: it learns the log of interactions before it goes on."""
        self.mark += A_PROCESS
        self.metrics = Metrics(CollectorRegistry())
        self.recommender = self.kind_of_recommender(RecommenderSettings())
        seen = DuplicateFilter(86_400, 10_000)
        self.learn = Learn(self.recommender, seen, self.metrics)
        for partition, records in self.outbox.interactions_log.items():
            self.learn.handle(batch(*(value for _, value in records), topic="interactions", partition=partition))
        self.process = Process(
            kinds=KIND_OF_TOPIC,
            events=EventSettings(),
            placement=self.placement,
            seen=seen,
            plausibility=Plausibility(PlausibilitySettings(), self.recommender.items, self.recommender.catalogue),
            maker=ListMaker.of(self.recommender, capacity=100, mark=self.mark),
            learn=self.learn,
            shown=Shown(RankingSettings().size, capacity=100),
            replicas=MemoryReplicas(self.diary),
            sources=self.logs,
            unfinished=Unfinished(
                kinds=KIND_OF_TOPIC,
                topics={*KIND_OF_TOPIC, MOVED},
                placement=self.placement,
                events=EventSettings(),
                seen=seen,
                applied=self.learn.applied,
                store=self.begun,
                log=self.log,
                owns=self.owned,
                new_claim=lambda: uuid4().hex,
                doubt_seconds=0.0,
            ),
            users=self.users,
            outbox=self.outbox,
            metrics=self.metrics,
            clock=self.clock,
            holds=self.held,
            write_lock=asyncio.Lock(),
            emit_lock=asyncio.Lock(),
        )

    def held(self, raw: RawBatch) -> bool:
        """Whether the group has not taken the batch's partition away, as far as this worker
        knows.
        """
        return raw.partition not in self.lost

    async def owned(self, raw: RawBatch) -> bool:
        """Whether the group says that this worker is a member, and the worker knows of no loss."""
        if self.answers:
            return await self.answers.pop()()
        return self.is_member and self.held(raw)

    def beside(self) -> Self:
        """Another worker with the same store and the same topics."""
        other = type(self)()
        other.mark = self.mark + (1 << 31)
        other.users, other.outbox, other.begun, other.log = self.users, self.outbox, self.begun, self.log
        other.restart()
        return other

    async def handle(self, *raws: RawBatch) -> None:
        """One batch after the other."""
        for raw in raws:
            await self.handle_together(raw)

    async def handle_together(self, *raws: RawBatch) -> None:
        self.log.batches += raws
        await self.process.emit(await self.process.store(raws))

    async def crash(self, raw: RawBatch) -> None:
        """Killed between the store and the emission."""
        self.outbox.away = True
        with pytest.raises(Away):
            await self.handle(raw)
        self.outbox.away = False
        self.restart()

    def counts(self, user_id: str = "u1") -> list[int]:
        """Views, clicks, carts and orders in the user's profile."""
        return [round(count) for count in self.users.profiles[user_id].counts]

    def emitted(self) -> list[Fields]:
        """All interactions, partition after partition."""
        logs = self.outbox.interactions_log
        return [orjson.loads(value) for partition in sorted(logs) for _, value in logs[partition]]

    def listed(self, user_id: str) -> list[str]:
        return [each["item_id"] for each in orjson.loads(self.users.lists[user_id])["items"]]

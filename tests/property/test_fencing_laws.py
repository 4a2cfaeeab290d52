"""Two workers that both take themselves for owners, on one store whose writes fail, are carried out
without an answer, or arrive late: no profile goes back, and each event counts once.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import hypothesis.strategies as st
import pytest
from builders import NOW, batch, event
from event_bench import Bench
from fakes import Away
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from memory_users import MemoryUsers
from reference import Event, step
from typing_extensions import override

from agents.ports import WriteOutcome
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.profile import Profile, ProfileSettings
from models.users.writes import UserWrites

USERS = ("u1", "u2", "u3")
TOPICS = ("views", "clicks")
WORKERS = (0, 1)
sent = st.lists(st.sampled_from(USERS), min_size=8, max_size=20)


class Fault(StrEnum):
    """What becomes of a write that fails for the worker."""

    NEVER_ARRIVES = "never arrives"
    NO_ANSWER = "is carried out"
    LATE = "arrives later"


@dataclass
class FaultyUsers(MemoryUsers):
    """A store that does what `fault` says with the next write, and keeps what is late."""

    fault: Fault | None = None
    late: list[UserWrites] = field(default_factory=list)

    @override
    async def write(self, writes: UserWrites) -> list[WriteOutcome]:
        fault, self.fault = self.fault, None
        if fault is None:
            return await super().write(writes)
        if fault is Fault.NO_ANSWER:
            await super().write(writes)
        if fault is Fault.LATE:
            self.late.append(writes)
        raise Away("the store")

    async def deliver(self, number: int) -> None:
        await super().write(self.late.pop(number % len(self.late)))


class Fencing(RuleBasedStateMachine):
    """Topics of one partition each; the true owner of a topic commits, the other one goes on
    unaware.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.users = FaultyUsers()
        first = Bench()
        first.users = self.users
        first.restart()
        self.workers = [first, first.beside()]
        self.logs: dict[str, list[str]] = {topic: [] for topic in TOPICS}
        self.owner = dict.fromkeys(TOPICS, 0)
        self.committed = dict.fromkeys(TOPICS, 0)
        self.position = {(worker, topic): 0 for worker in WORKERS for topic in TOPICS}
        self.applied: dict[str, dict[str, int]] = {user: {} for user in USERS}

    @override
    def teardown(self) -> None:
        try:
            self._settle()
        finally:
            self.loop.close()

    @initialize(views=sent, clicks=sent)
    def send(self, views: list[str], clicks: list[str]) -> None:
        self.logs = {"views": views, "clicks": clicks}

    @rule(
        worker=st.sampled_from(WORKERS),
        topic=st.sampled_from(TOPICS),
        count=st.integers(1, 4),
        fault=st.none() | st.sampled_from(Fault),
    )
    def read(self, worker: int, topic: str, count: int, fault: Fault | None) -> None:
        self.users.fault = fault
        first = self.position[worker, topic]
        if raw := self._batch(topic, first, count):
            with suppress(Away):
                self._wait(self.workers[worker].handle(raw))
                self.position[worker, topic] = first + len(raw)
                if self.owner[topic] == worker:
                    self.committed[topic] = self.position[worker, topic]

    @precondition(lambda self: self.users.late)
    @rule(number=st.integers(0, 9))
    def arrive_late(self, number: int) -> None:
        self._wait(self.users.deliver(number))

    @rule(topic=st.sampled_from(TOPICS), worker=st.sampled_from(WORKERS))
    def assign(self, topic: str, worker: int) -> None:
        """The worker gets the topic, and the other one is not told."""
        self.owner[topic] = worker
        for each in TOPICS:
            if self.owner[each] == worker:
                self.position[worker, each] = self.committed[each]
        process = self.workers[worker].process
        process.maker.table.forget()
        process.shown.forget()
        process.unfinished.forget()

    @rule(worker=st.sampled_from(WORKERS))
    def restart(self, worker: int) -> None:
        self.workers[worker].restart()
        for topic in TOPICS:
            self.assign(topic, worker)

    @invariant()
    def no_profile_goes_back(self) -> None:
        profiles = self.users.profiles
        for user, before in self.applied.items():
            now = dict(profiles.get(user, Profile()).applied)
            assert all(now.get(source, -1) >= offset for source, offset in before.items()), (user, before, now)
            self.applied[user] = now

    @invariant()
    def every_profile_counts_what_it_says_that_it_has_applied(self) -> None:
        for user, profile in self.users.profiles.items():
            naive = self._naive(user, dict(profile.applied))
            assert profile.recent == naive.recent
            assert profile.counts == pytest.approx(naive.counts)

    def _settle(self) -> None:
        """One worker reads everything to the end, and what is late arrives."""
        self.restart(0)
        for topic in TOPICS:
            self.read(0, topic, len(self.logs[topic]) + 1, None)
        while self.users.late:
            self.arrive_late(0)
        self.no_profile_goes_back()
        self.every_profile_counts_what_it_says_that_it_has_applied()
        sent = {user for log in self.logs.values() for user in log}
        assert self.users.profiles.keys() == sent
        for user in sent:
            last = {f"{topic}-0": max(self._offsets(topic, user)) for topic in TOPICS if user in self.logs[topic]}
            assert self.users.profiles[user].applied == last

    def _naive(self, user: str, applied: dict[str, int]) -> Profile:
        events = [
            Event(NOW + offset, int(KIND_OF_TOPIC[topic]), f"{topic}{offset}", f"{topic}-0", offset)
            for topic in TOPICS
            for offset in self._offsets(topic, user)
            if offset <= applied.get(f"{topic}-0", -1)
        ]
        return step(Profile(), events, ProfileSettings())

    def _offsets(self, topic: str, user: str) -> list[int]:
        return [offset for offset, each in enumerate(self.logs[topic]) if each == user]

    def _batch(self, topic: str, first: int, count: int) -> RawBatch | None:
        users = self.logs[topic][first : first + count]
        records = [
            event(f"{topic}{offset}", user_id=user, item_id=f"{topic}{offset}", session_id=user, ts=NOW + offset)
            for offset, user in enumerate(users, first)
        ]
        return batch(*records, topic=topic, first=first) if records else None

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        self.loop.run_until_complete(work)


Fencing.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestFencing = Fencing.TestCase

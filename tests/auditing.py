"""The topic `interactions` and the profiles that are stored, in memory behind the ports of an
audit.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from builders import NOW, PureWorker, batch, event
from fakes import ManualClock

from agents.audit import Audit
from agents.ports import WriteOutcome
from agents.upkeep_ports import Replacement
from models.contract.events import KIND_OF_TOPIC, RawBatch
from models.profile import ProfileSettings
from models.recommender import RecommenderSettings
from models.users.revision import REVISION
from models.users.stored import StoredFields

DAY = 86_400.0
SMALL = ProfileSettings(recent_items=3, bought_items=2)


@dataclass
class MemoryProfiles:
    """The `StoredProfiles` port in memory."""

    fields: dict[str, StoredFields] = field(default_factory=dict)

    async def load(self, user_ids: Sequence[str]) -> list[StoredFields]:
        return [self.fields.get(user, {}) for user in user_ids]

    async def user_ids(self) -> AsyncGenerator[list[str], None]:
        yield list(self.fields)


@dataclass
class MemoryRebuilt(MemoryProfiles):
    """The `RebuiltProfiles` port in memory; `meanwhile` is called before each write."""

    meanwhile: Callable[[], None] = lambda: None
    expire_seconds: dict[str, int] = field(default_factory=dict)

    async def replace(self, profiles: Sequence[Replacement]) -> list[WriteOutcome]:
        if profiles:
            self.meanwhile()
        return [self._replace(each) for each in profiles]

    def _replace(self, each: Replacement) -> WriteOutcome:
        if (self.fields.get(each.user_id, {}).get(REVISION) or b"") != each.supersedes:
            return WriteOutcome.REFUSED
        self.fields[each.user_id] = {REVISION: each.revision, **each.fields}
        self.expire_seconds[each.user_id] = each.expire_seconds
        return WriteOutcome.DONE

    async def remove(self, user_ids: Sequence[str]) -> None:
        for user in user_ids:
            self.fields.pop(user, None)


@dataclass
class MemoryInteractions:
    """The `InteractionLog` port in memory; `appended` arrive one by one, each before a read that
    goes on.
    """

    batches: list[RawBatch] = field(default_factory=list)
    appended: list[RawBatch] = field(default_factory=list)
    is_whole: bool = True
    passes: int = 0
    _position: int = 0

    async def read(self) -> AsyncGenerator[RawBatch, None]:
        if self._position and self.appended:
            self.batches.append(self.appended.pop(0))
        while self._position < len(self.batches):
            self._position += 1
            yield self.batches[self._position - 1]

    def rewind(self) -> None:
        self.passes += 1
        self._position = 0


@dataclass
class AuditedShop:
    """A worker whose profiles and interactions are kept, and an audit of them."""

    worker: PureWorker = field(default_factory=lambda: PureWorker(RecommenderSettings(profile=SMALL)))
    store: MemoryProfiles = field(default_factory=MemoryProfiles)
    log: MemoryInteractions = field(default_factory=MemoryInteractions)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    offsets: dict[str, int] = field(default_factory=dict)

    def happens(self, user: str, *item_ids: str, topic: str = "views", at: float = NOW) -> RawBatch:
        """The user's events are processed; returns their interactions, which are not in the log
        yet.
        """
        first = self.offsets.get(topic, 0)
        self.offsets[topic] = first + len(item_ids)
        events = [
            event(f"{topic}{first + n}", user_id=user, item_id=each, ts=at + n) for n, each in enumerate(item_ids)
        ]
        received = batch(*events, topic=topic, first=first)
        received.times[:] = at + len(item_ids)
        outcome = self.worker.decide(received, KIND_OF_TOPIC[topic])
        self.store.fields[user] = self.worker.stored[user]
        emitted = batch(*outcome.interactions, topic="interactions")
        emitted.times[:] = at
        return emitted

    def logged(self, user: str, *item_ids: str, topic: str = "views", at: float = NOW) -> None:
        """The user's events are processed and in the log."""
        self.log.batches.append(self.happens(user, *item_ids, topic=topic, at=at))

    def audit(self, at_once: int = 100, tell: Callable[[str], None] = lambda _: None) -> Audit:
        """An audit that waits 1.2 s for the log, by its own clock."""

        async def sleep(seconds: float) -> None:
            self.clock.now += seconds

        return Audit(self.log, self.store, SMALL, 30 * DAY, self.clock, 1.2, at_once=at_once, sleep=sleep, tell=tell)

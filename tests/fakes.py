"""The outside world in memory: ordinary classes behind the ports of `agents.ports`.

`tests/contract` holds them and the real ones to the same behaviour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.events import Item, RawBatch
from models.item_codec import Deleted
from models.outcome import Rejected
from models.profile import Profile


class Away(Exception):
    """What a fake raises while it is told to be away."""


@dataclass
class ManualClock:
    """A clock that stands still until it is set."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass
class Diary:
    """What happened, in order, over several fakes."""

    entries: list[str] = field(default_factory=list)


@dataclass
class MemoryUsers:
    """The `UserStore` port in memory."""

    diary: Diary = field(default_factory=Diary)
    profiles: dict[str, Profile] = field(default_factory=dict)
    lists: dict[str, bytes] = field(default_factory=dict)
    away: bool = False

    async def load(self, user_ids: Sequence[str]) -> Mapping[str, Profile]:
        return {user: self.profiles.get(user, Profile()) for user in user_ids}

    async def write(self, profiles: Mapping[str, Profile], lists: Mapping[str, bytes]) -> None:
        if self.away:
            raise Away("the store")
        self.diary.entries.append("store")
        self.profiles.update(profiles)
        self.lists.update(lists)


@dataclass
class MemoryItems:
    """The `ItemStore` port in memory; a deleted item keeps its mark."""

    diary: Diary = field(default_factory=Diary)
    items: dict[str, Item | Deleted] = field(default_factory=dict)
    away: bool = False

    async def write(self, changes: Sequence[Item | Deleted]) -> None:
        if self.away:
            raise Away("the store")
        self.diary.entries.append("store")
        self.items.update({change.item_id: change for change in changes})


@dataclass
class MemoryOutbox:
    """The `Outbox` port in memory: each topic's records by partition, as (key, value)."""

    diary: Diary = field(default_factory=Diary)
    interactions_log: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)
    recommendations_log: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)
    quarantined: list[Rejected] = field(default_factory=list)
    away: bool = False

    async def interactions(self, partition: int, keys: Sequence[str], values: Sequence[bytes]) -> None:
        self._note("interactions")
        self.interactions_log.setdefault(partition, []).extend(zip(keys, values, strict=True))

    async def recommendations(self, partition: int, lists: Mapping[str, bytes]) -> None:
        self._note("recommendations")
        self.recommendations_log.setdefault(partition, []).extend(lists.items())

    async def quarantine(self, rejected: Sequence[Rejected]) -> None:
        self._note("quarantine")
        self.quarantined.extend(rejected)

    def _note(self, topic: str) -> None:
        if self.away:
            raise Away("the broker")
        self.diary.entries.append(topic)


@dataclass
class MemoryReplicas:
    """The `Replicas` port in memory: always caught up, but it tells when it was asked."""

    diary: Diary = field(default_factory=Diary)

    async def caught_up(self) -> None:
        self.diary.entries.append("caught up")


@dataclass
class OneLog:
    """The `Sources` port where every partition is one log, called `name`."""

    name: str = ""

    async def log_of(self, batch: RawBatch) -> str:
        return self.name

"""The outside world in memory: ordinary classes behind the ports of `agents.ports`.

`tests/contract` holds them and the real ones to the same behaviour.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from string import ascii_lowercase

import numpy as np

from agents.ports import NOTHING_KEPT, Assessed, ItemOutcome
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, Deleted, RecordPlace, Restocked, Withdrawn
from models.contract.moved import Moved
from models.contract.outcome import Rejected
from models.quality.assessment import Assessment, Models, embedding_text, pack_vector
from models.quality.last_good import Kept, Retitled, StoredText, good_title
from models.quality.repair import Repair

LETTERS = ascii_lowercase


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
class MemoryItems:
    """The `ItemStore` port in memory; a deleted item keeps its mark."""

    diary: Diary = field(default_factory=Diary)
    items: dict[str, Item | Deleted] = field(default_factory=dict)
    places: dict[str, RecordPlace] = field(default_factory=dict)
    repairs: dict[str, tuple[Repair, ...]] = field(default_factory=dict)
    kept: dict[str, Kept | None] = field(default_factory=dict)
    good: dict[str, str] = field(default_factory=dict)
    deletions: dict[str, RecordPlace] = field(default_factory=dict)
    updated_at: dict[str, float] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    away: bool = False

    async def write(
        self,
        changes: Sequence[Change],
        places: Sequence[RecordPlace] = (),
        repairs: Sequence[Sequence[Repair]] = (),
        kept: Mapping[int, Kept] = NOTHING_KEPT,
    ) -> list[ItemOutcome]:
        if self.away:
            raise Away("the store")
        self.diary.entries.append("store")
        rows = enumerate(zip_longest(changes, places, repairs))
        return [self._write(*each, kept.get(row)) for row, each in rows]

    async def titles(self, item_ids: Sequence[str]) -> list[StoredText]:
        return [self._title(each) for each in item_ids]

    def _title(self, item_id: str) -> StoredText:
        item, kept = self.items.get(item_id), self.kept.get(item_id)
        title = item.title if isinstance(item, Item) else "" if item else self.good.get(item_id, "")
        known = StoredText(title, self.places.get(item_id), deletion=self.deletions.get(item_id))._replace(
            updated_at=self.updated_at.get(item_id)
        )
        return known._replace(title_place=kept.place, said=kept.said) if kept else known

    async def retitle(self, retitled: Sequence[Retitled]) -> None:
        for each in retitled:
            if isinstance(item := self.items[each.item_id], Item) and self.places.get(each.item_id) == each.over:
                self.items[each.item_id] = replace(item, title=each.title)
                self.repairs[each.item_id] = each.repairs
                self.kept[each.item_id] = Kept(each.place, each.said, "") if each.place else None

    def _write(
        self, change: Change, place: RecordPlace | None, done: Sequence[Repair] | None, kept: Kept | None
    ) -> ItemOutcome:
        item_id = change.item_id
        stored = self.places.get(item_id)
        if place is not None and stored is not None and place.is_before(stored):
            return ItemOutcome.OVERTAKEN
        if not isinstance(change, Deleted) and change.updated_at is not None:
            if change.updated_at < self.updated_at.get(item_id, 0.0):
                return ItemOutcome.OUTDATED
            self.updated_at[item_id] = change.updated_at
        if place is not None and (stored is not None or not isinstance(change, Withdrawn | Restocked)):
            self.places[item_id] = place
        self._apply(change, tuple(done or ()), kept)
        if isinstance(change, Deleted):
            self.updated_at.pop(item_id, None)
            if place is not None:
                self.deletions[item_id] = place
        return ItemOutcome.DONE

    def _apply(self, change: Change, repairs: tuple[Repair, ...], kept: Kept | None) -> None:
        item_id = change.item_id
        if isinstance(change, Withdrawn):
            self.items[item_id] = self._withdrawn(item_id)
            return
        self.whole.add(item_id)
        if isinstance(change, Restocked):
            known = self.items.get(item_id)
            bare = Item(item_id, title="")
            self.items[item_id] = replace(known if isinstance(known, Item) else bare, available=True)
            return
        self.items[item_id], self.repairs[item_id], self.kept[item_id] = change, repairs, kept
        self.good.pop(item_id, None)

    def _withdrawn(self, item_id: str) -> Item | Deleted:
        known = self.items.get(item_id, Item(item_id, title=""))
        return replace(known, available=False) if isinstance(known, Item) else known


@dataclass
class MemoryOutbox:
    """The `Outbox` port in memory: each topic's records by partition, as (key, value)."""

    diary: Diary = field(default_factory=Diary)
    interactions_log: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)
    recommendations_log: dict[int, list[tuple[str, bytes | None]]] = field(default_factory=dict)
    forgotten_log: dict[int, list[tuple[str, set[int]]]] = field(default_factory=dict)
    vectors_log: dict[int, list[tuple[str, Assessment | None]]] = field(default_factory=dict)
    quarantined: list[Rejected] = field(default_factory=list)
    moved_log: dict[int, list[Moved]] = field(default_factory=dict)
    ranker_log: list[tuple[bytes, bytes]] = field(default_factory=list)
    away: bool = False

    async def interactions(self, partition: int, keys: Sequence[str], values: Sequence[bytes]) -> None:
        self._note("interactions")
        self.interactions_log.setdefault(partition, []).extend(zip(keys, values, strict=True))

    async def forgotten(self, partition: int, sessions: Mapping[str, Collection[int]]) -> None:
        if sessions:
            self._note("forgotten")
        self.forgotten_log.setdefault(partition, []).extend((user, set(each)) for user, each in sessions.items())

    async def recommendations(self, partition: int, lists: Mapping[str, bytes | None]) -> None:
        self._note("recommendations")
        self.recommendations_log.setdefault(partition, []).extend(lists.items())

    async def vectors(self, partition: int, assessed: Mapping[str, Assessment | None]) -> None:
        self._note("vectors")
        self.vectors_log.setdefault(partition, []).extend(assessed.items())

    async def move(self, moved: Sequence[Moved]) -> None:
        if moved:
            self._note("moved")
        for each in moved:
            self.moved_log.setdefault(each.home, []).append(each)

    async def quarantine(self, rejected: Sequence[Rejected]) -> None:
        self._note("quarantine")
        self.quarantined.extend(rejected)

    async def ranker(self, records: Mapping[bytes, bytes]) -> None:
        self._note("ranker")
        self.ranker_log.extend(records.items())

    def _note(self, topic: str) -> None:
        if self.away:
            raise Away("the broker")
        self.diary.entries.append(topic)


@dataclass
class MemoryReplicas:
    """The `Replicas` port in memory: always caught up, but it tells when it was asked."""

    diary: Diary = field(default_factory=Diary)
    behind: bool = False

    async def caught_up(self) -> None:
        self.diary.entries.append("caught up")


@dataclass
class MemoryAssessments:
    """The `AssessmentStore` port in memory, beside the items of `shop`."""

    shop: MemoryItems
    stored: dict[str, Assessment] = field(default_factory=dict)
    vectors: dict[str, Item] = field(default_factory=dict)
    completed: int = 0

    async def items(self, item_ids: Sequence[str]) -> list[Item | None]:
        found = [self.shop.items.get(item_id) for item_id in item_ids]
        return [each if isinstance(each, Item) and each.item_id in self.shop.whole else None for each in found]

    async def load(self, item_ids: Sequence[str]) -> list[Assessment | None]:
        return [self.stored.get(item_id) for item_id in item_ids]

    async def write(self, assessed: Sequence[Assessed]) -> list[str]:
        if self.shop.away:
            raise Away("the store")
        self.shop.diary.entries.append("assessments")
        items = await self.items([each.item.item_id for each in assessed])
        refused = []
        for each, item in zip(assessed, items, strict=True):
            name, before = each.item.item_id, each.before if each.is_new else each.assessment
            if item is None or embedding_text(item) != embedding_text(each.item) or self.stored.get(name) != before:
                refused.append(name)
                continue
            self.stored[name] = each.assessment
            if each.assessment.vector:
                self.vectors[name] = item
            elif each.is_new and not item.title:
                self.vectors.pop(name, None)
        return refused

    async def remember(self, assessments: Mapping[str, Assessment | None]) -> None:
        for item_id, each in assessments.items():
            if each is not None:
                self.stored[item_id], self.shop.good[item_id] = each, good_title(each)
        await self._clear([item_id for item_id, each in assessments.items() if each is None])

    async def forget(self, item_ids: Sequence[str]) -> None:
        await self._clear(item_ids)

    async def _clear(self, item_ids: Sequence[str]) -> None:
        for item_id, item in zip(item_ids, await self.items(item_ids), strict=True):
            if item is None:
                self.stored.pop(item_id, None)
                self.shop.good.pop(item_id, None)
                self.vectors.pop(item_id, None)

    async def complete(self) -> None:
        self.completed += 1


@dataclass
class LetterModel:
    """The `Infer` port with a model that counts letters; a title with a `?` is a remark. It keeps
    what it was asked.
    """

    models: Models = field(default_factory=lambda: Models("letters-1", "questions-1", len(LETTERS)))
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def assess(self, items: Sequence[Item]) -> list[Assessment]:
        if self.gate is not None:
            await self.gate.wait()
        self.asked += [item.title for item in items]
        return [self.say(item) for item in items]

    def say(self, item: Item) -> Assessment:
        counts = np.array([item.title.lower().count(letter) for letter in LETTERS], np.float32)
        doubtful = "?" in item.title
        return Assessment(
            text_hash=self.models.text_hash(item),
            embedding=self.models.embedding,
            vector=pack_vector(counts),
            judged_by=self.models.quality,
            quality=0.125 if doubtful else 0.75,
            reasons=("remark",) if doubtful else (),
        )


@dataclass
class OneLog:
    """The `Sources` port where every partition is one log, called `name`."""

    name: str = ""

    async def log_of(self, batch: RawBatch, learned: Callable[[], str]) -> str:
        return self.name or learned()

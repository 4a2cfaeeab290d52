"""Asks the models about changed items, each text once, and brings what they say into the log and the store."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeVar

from agents.follow_vectors import FollowVectors, decode_newest
from agents.metrics import Metrics
from agents.ports import Assessed, AssessmentStore, Infer, Outbox, Replicas
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, Deleted, Withdrawn
from models.quality.assessment import Assessment
from models.quality.text import QualitySettings

ITEMS_AT_ONCE = 64
PAUSE_SECONDS = 1.0
NOTHING: Mapping[str, str] = {}

T = TypeVar("T")


class _Asked(NamedTuple):
    """Items and what is said of them; `unsent` are those that the log does not have yet."""

    assessed: list[Assessed]
    unsent: dict[str, Assessment | None]


@dataclass(frozen=True, slots=True)
class Assess:
    """Assesses what the owner of an item's partition stored; and, in the background, what other models assessed.

    The log hears of an assessment before the store does, and the store says last of all which text it is of. So
    where both know a text, everything is done for it, and after a crash at any point the rest is done again.
    `advanced` is told whenever a part of a batch of changes is done: models may take minutes for all of it.
    """

    infer: Infer
    follow: FollowVectors
    store: AssessmentStore
    outbox: Outbox
    replicas: Replicas
    settings: QualitySettings
    metrics: Metrics
    owned: Callable[[], Set[int]]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    advanced: Callable[[], None] = lambda: None
    _checked: set[int] = field(default_factory=set)

    async def handle(self, partition: int, changes: Sequence[Change]) -> None:
        """Assess the changes of one batch; when this returns, all is stored, and on its way to every worker."""
        await self.replicas.caught_up()
        newest = _newest(changes)
        async with self.turn:
            await self._forget(partition, [each.item_id for each in newest.values() if isinstance(each, Deleted)])
            await self._assess(partition, await self._items(list(newest.values())), self.advanced)

    async def run(self) -> None:
        """Assess for ever what the models in use have not assessed, such as everything after a change of model."""
        await self.replicas.caught_up()
        while True:
            await self.catch_up()
            await asyncio.sleep(PAUSE_SECONDS)

    async def catch_up(self) -> None:
        """Assess what waits for it in this worker's partitions, while batches of changes come in between.

        The store is told when nothing waits in any partition.
        """
        owned = self.owned()
        self._checked.intersection_update(owned)
        for partition in sorted(owned - self._checked):
            await self._check(partition)
        for partition, waiting in self.follow.unassessed(owned).items():
            for item_ids in _parts(waiting, ITEMS_AT_ONCE):
                # A batch of changes may have come in between, and brought some of them.
                await self._assess_stored(partition, [each for each in item_ids if self.follow.waits(each)])
        if not self.replicas.behind and not self.follow.any_unassessed():
            await self.store.complete()

    async def _check(self, partition: int) -> None:
        """Do what the partition's last worker left undone: it ended in the middle, or had no models."""
        for item_ids in _parts(self.follow.items_of(partition), ITEMS_AT_ONCE):
            said = await self.store.load(item_ids)
            done = {item_id: each.text_hash for item_id, each in zip(item_ids, said, strict=True) if each is not None}
            await self._assess_stored(partition, item_ids, done)
        for item_ids in _parts(self.follow.left_over(partition), ITEMS_AT_ONCE):
            await self._forget_deleted(partition, item_ids)
        self._checked.add(partition)

    async def _forget_deleted(self, partition: int, item_ids: Sequence[str]) -> None:
        """Forget those of these items that are not stored: they were deleted while no models ran."""
        async with self.turn:
            if partition not in self.owned():
                return
            stored = await self.store.items(item_ids)
            await self._forget(partition, [each for each, item in zip(item_ids, stored, strict=True) if item is None])

    async def _assess_stored(self, partition: int, item_ids: Sequence[str], done: Mapping[str, str] = NOTHING) -> None:
        """Assess these items as they are stored, but for those whose text is that of a hash in `done`."""
        async with self.turn:
            if partition not in self.owned():
                return  # it is another worker's turn
            stored = [item for item in await self.store.items(item_ids) if item is not None]
            await self._assess(partition, [item for item in stored if not self._is_done(item, done)])

    def _is_done(self, item: Item, done: Mapping[str, str]) -> bool:
        text_hash = self.infer.models.text_hash(item)
        return done.get(item.item_id) == text_hash and self.follow.knows(item.item_id, text_hash)

    async def _items(self, changes: Sequence[Change]) -> list[Item]:
        """The items that are left; those that were only withdrawn as they are stored now."""
        stored = await self.store.items([each.item_id for each in changes if isinstance(each, Withdrawn)])
        upserted = [each for each in changes if isinstance(each, Item)]
        return upserted + [item for item in stored if item is not None]

    async def remember(self, batch: RawBatch) -> None:
        """Store again what a batch of `vectors` says, so that `restore` need not ask the models."""
        said = decode_newest(batch)
        await self.store.remember({each: a for each, a in said.items() if a is None or self.follow.is_sound(a)})

    async def restore(self, partition: int) -> list[str]:
        """Bring the vectors of a partition's stored items back into a store that lost them; which items they are."""
        await self.replicas.caught_up()
        item_ids = self.follow.items_of(partition)
        for part in _parts(item_ids, ITEMS_AT_ONCE):
            async with self.turn:
                await self._assess(partition, [item for item in await self.store.items(part) if item is not None])
        return item_ids

    async def _forget(self, partition: int, item_ids: Sequence[str]) -> None:
        if item_ids:
            await self.outbox.vectors(partition, dict.fromkeys(item_ids))
            await self.store.forget(item_ids)

    async def _assess(self, partition: int, items: Sequence[Item], advanced: Callable[[], None] | None = None) -> None:
        """While the models read one part of the items, the part before is written."""
        ready = _Asked([], {})
        for part in (*_parts(items, ITEMS_AT_ONCE), []):
            _, ready = await asyncio.gather(self._write(partition, ready), self._ask(part))
            if advanced is not None:
                advanced()

    async def _ask(self, items: Sequence[Item]) -> _Asked:
        """The assessments of all the items; the models are asked only about texts that nobody assessed yet."""
        hashes = [self.infer.models.text_hash(item) for item in items]
        stored = await self.store.load([item.item_id for item in items])
        known = [
            said if said and said.text_hash == text and self.infer.models.made(said) else None
            for said, text in zip(stored, hashes, strict=True)
        ]
        new = iter(await self.infer.assess([item for item, said in zip(items, known, strict=True) if said is None]))
        every = [Assessed(item, said or next(new), said is None) for item, said in zip(items, known, strict=True)]
        found = await self._unchanged(every)
        unsent = [each for each in found if each.is_new or not self._is_sent(each)]
        return _Asked(found, {each.item.item_id: each.assessment for each in unsent})

    async def _unchanged(self, assessed: Sequence[Assessed]) -> list[Assessed]:
        """Without what changed while the models read it: it may be another worker's by now, which has read it anew."""
        stored = await self.store.items([each.item.item_id for each in assessed])
        text_hash = self.infer.models.text_hash
        return [
            each
            for each, item in zip(assessed, stored, strict=True)
            if item is not None and text_hash(item) == each.assessment.text_hash
        ]

    def _is_sent(self, each: Assessed) -> bool:
        return self.follow.knows(each.item.item_id, each.assessment.text_hash)

    async def _write(self, partition: int, asked: _Asked) -> None:
        if asked.unsent:
            await self.outbox.vectors(partition, asked.unsent)
        if asked.assessed:
            await self.store.write(asked.assessed)
            self._count(asked.assessed)

    def _count(self, assessed: Sequence[Assessed]) -> None:
        for outcome, count in Counter(self._outcome(each) for each in assessed).items():
            self.metrics.assessed.labels(outcome).inc(count)
        reasons = Counter(reason for each in assessed if each.is_new for reason in each.assessment.reasons)
        for reason, count in reasons.items():
            self.metrics.defects.labels(reason).inc(count)

    def _outcome(self, each: Assessed) -> str:
        if not each.is_new:
            return "unchanged"
        return "good" if each.assessment.weight(self.settings) > 0 else "low_quality"


def _newest(changes: Sequence[Change]) -> dict[str, Change]:
    """The last change of each item; but what was deleted stays so when it is withdrawn too."""
    newest: dict[str, Change] = {}
    for change in changes:
        if not (isinstance(change, Withdrawn) and isinstance(newest.get(change.item_id), Deleted)):
            newest[change.item_id] = change
    return newest


def _parts(whole: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(whole)
    while part := list(islice(rest, size)):
        yield part

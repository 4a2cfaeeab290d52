"""Assess changed items with the models, and write the assessments to the log and the store.

Each text is assessed once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple, TypeVar

from agents.follow_vectors import FollowVectors, decode_newest
from agents.metrics import Metrics
from agents.ports import Assessed, AssessmentStore, Infer, Outbox, Replicas
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, Deleted, Restocked, Withdrawn
from models.quality.assessment import Assessment
from models.quality.text import QualitySettings

ITEMS_AT_ONCE = 64
PAUSE_SECONDS = 1.0
NOTHING: Mapping[str, str] = {}

T = TypeVar("T")


class _Asked(NamedTuple):
    """Holds items with their assessments; `unsent` holds those that the log does not have yet."""

    assessed: list[Assessed]
    unsent: dict[str, Assessment | None]


@dataclass(frozen=True, slots=True)
class Assess:
    """Assesses the items in this worker's partitions.

    Changed items are assessed batch by batch. Items that the models in use have not assessed yet
    follow in the background. The log receives an assessment before the store does, and the store
    writes the hash of the text last. So where both have the hash of a text, all work for that text
    is done, and after a crash at any point the rest is done again. `advanced` is called after each
    part of a batch of changes, because models may take minutes for the whole batch. `write_lock` is
    held while assessments are read and written, so that two tasks never write the same item at
    once.
    """

    infer: Infer
    follow: FollowVectors
    store: AssessmentStore
    outbox: Outbox
    replicas: Replicas
    settings: QualitySettings
    metrics: Metrics
    owned: Callable[[], Set[int]]
    write_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    advanced: Callable[[], None] = lambda: None
    _checked: set[int] = field(default_factory=set)

    async def handle(self, partition: int, changes: Sequence[Change]) -> None:
        """Assess the changes of one batch.

        Returns when all assessments are stored and the broker has their records.
        """
        await self.replicas.caught_up()
        newest = _newest(changes)
        async with self.write_lock:
            await self._forget(partition, [each.item_id for each in newest.values() if isinstance(each, Deleted)])
            await self._assess(partition, await self._items(list(newest.values())), self.advanced)

    async def run(self) -> None:
        """Assess in the background what the models in use have not assessed, until cancelled.

        After a change of model that is the whole catalogue.
        """
        await self.replicas.caught_up()
        while True:
            await self.catch_up()
            await asyncio.sleep(PAUSE_SECONDS)

    async def catch_up(self) -> None:
        """Assess the unassessed items of this worker's partitions; batches of changes may come in
        between.

        Calls `store.complete` when no item of any partition waits.
        """
        owned = self.owned()
        self._checked.intersection_update(owned)
        for partition in sorted(owned - self._checked):
            await self._check(partition)
        for partition, waiting in self.follow.unassessed(owned).items():
            for item_ids in _parts(waiting, ITEMS_AT_ONCE):
                # A batch of changes may have been handled in between, with some of these items.
                await self._assess_stored(partition, [each for each in item_ids if self.follow.waits(each)])
        if not self.replicas.behind and not self.follow.any_unassessed():
            await self.store.complete()

    async def _check(self, partition: int) -> None:
        """Finish what the partition's last worker left undone: it may have crashed, or had no
        models.
        """
        for item_ids in _parts(self.follow.items_of(partition), ITEMS_AT_ONCE):
            stored = await self.store.load(item_ids)
            done = {item_id: each.text_hash for item_id, each in zip(item_ids, stored, strict=True) if each is not None}
            await self._assess_stored(partition, item_ids, done)
        for item_ids in _parts(self.follow.left_over(partition), ITEMS_AT_ONCE):
            await self._forget_deleted(partition, item_ids)
        self._checked.add(partition)

    async def _forget_deleted(self, partition: int, item_ids: Sequence[str]) -> None:
        """Forget those of these items that are not stored: they were deleted when no models ran."""
        async with self.write_lock:
            if partition not in self.owned():
                return
            stored = await self.store.items(item_ids)
            await self._forget(partition, [each for each, item in zip(item_ids, stored, strict=True) if item is None])

    async def _assess_stored(self, partition: int, item_ids: Sequence[str], done: Mapping[str, str] = NOTHING) -> None:
        """Assess these items as they are stored, except those whose text has its hash in `done`."""
        async with self.write_lock:
            if partition not in self.owned():
                return  # another worker owns the partition now
            stored = [item for item in await self.store.items(item_ids) if item is not None]
            await self._assess(partition, [item for item in stored if not self._is_done(item, done)])

    def _is_done(self, item: Item, done: Mapping[str, str]) -> bool:
        text_hash = self.infer.models.text_hash(item)
        return done.get(item.item_id) == text_hash and self.follow.knows(item.item_id, text_hash)

    async def _items(self, changes: Sequence[Change]) -> list[Item]:
        """Return the upserted items, and those of notices as they are stored now."""
        stored = await self.store.items([each.item_id for each in changes if isinstance(each, Withdrawn | Restocked)])
        upserted = [each for each in changes if isinstance(each, Item)]
        return upserted + [item for item in stored if item is not None]

    async def write_again(self, item_ids: Sequence[str]) -> None:
        """Write the stored assessments of those of these items that this worker owns once more.

        For items that the shop allowed or hid: what readers filter by has changed.
        """
        for partition, owned in self.follow.by_partition(item_ids, self.owned()).items():
            for part in _parts(owned, ITEMS_AT_ONCE):
                async with self.write_lock:
                    if partition not in self.owned():
                        break
                    await self._write_again(part)

    async def _write_again(self, item_ids: Sequence[str]) -> None:
        while item_ids:
            stored = zip(await self.store.items(item_ids), await self.store.load(item_ids), strict=True)
            pairs = [(item, found) for item, found in stored if item is not None and found is not None]
            item_ids = await self.store.write(
                [Assessed(item, found, is_new=True, before=found) for item, found in pairs]
            )
            self.metrics.refused_writes.labels("assessment").inc(len(item_ids))

    async def remember(self, batch: RawBatch) -> None:
        """Store the assessments of a batch of `vectors` again, so that `restore` need not run the
        models.
        """
        newest = decode_newest(batch)
        await self.store.remember({each: a for each, a in newest.items() if a is None or self.follow.is_sound(a)})

    async def restore(self, partition: int) -> list[str]:
        """Write the vectors of a partition's items back into a store that lost them.

        Returns their item ids.
        """
        await self.replicas.caught_up()
        item_ids = self.follow.items_of(partition)
        for part in _parts(item_ids, ITEMS_AT_ONCE):
            async with self.write_lock:
                await self._assess(partition, [item for item in await self.store.items(part) if item is not None])
        return item_ids

    async def _forget(self, partition: int, item_ids: Sequence[str]) -> None:
        if item_ids:
            await self.outbox.vectors(partition, dict.fromkeys(item_ids))
            await self.store.forget(item_ids)

    async def _assess(self, partition: int, items: Sequence[Item], advanced: Callable[[], None] | None = None) -> None:
        """Assess the items, and again, as they are stored then, those whose write was refused."""
        while items:
            refused = await self._assess_once(partition, items, advanced)
            self.metrics.refused_writes.labels("assessment").inc(len(refused))
            items = [item for item in await self.store.items(refused) if item is not None]

    async def _assess_once(
        self, partition: int, items: Sequence[Item], advanced: Callable[[], None] | None
    ) -> list[str]:
        """Assess the items in parts: while the models read one part, the part before is written.

        Returns those whose write was refused.
        """
        ready, refused = _Asked([], {}), []
        for part in (*_parts(items, ITEMS_AT_ONCE), []):
            overtaken, ready = await asyncio.gather(self._write(partition, ready), self._ask(part))
            refused += overtaken
            if advanced is not None:
                advanced()
        return refused

    async def _ask(self, items: Sequence[Item]) -> _Asked:
        """Return the assessments of all items.

        The models read only texts that they have not assessed yet.
        """
        hashes = [self.infer.models.text_hash(item) for item in items]
        stored = await self.store.load([item.item_id for item in items])
        known = [
            each if each and each.text_hash == text and self.infer.models.made(each) else None
            for each, text in zip(stored, hashes, strict=True)
        ]
        pairs = list(zip(items, known, strict=True))
        asked = [item for item, assessment in pairs if assessment is None and item.title]
        new = dict(zip([item.item_id for item in asked], await self.infer.assess(asked), strict=True))
        untitled = self.infer.models.untitled
        every = [
            Assessed(item, assessment or new.get(item.item_id) or untitled(item), assessment is None, before)
            for (item, assessment), before in zip(pairs, stored, strict=True)
        ]
        found = await self._unchanged(every)
        unsent = [each for each in found if each.is_new or not self._is_sent(each)]
        return _Asked(found, {each.item.item_id: replace(each.assessment, title=each.item.title) for each in unsent})

    async def _unchanged(self, assessed: Sequence[Assessed]) -> list[Assessed]:
        """Drop items that changed while the models read them; another worker may own them now."""
        stored = await self.store.items([each.item.item_id for each in assessed])
        text_hash = self.infer.models.text_hash
        # What is stored may be newer in other fields, or the change was refused as too old.
        return [
            each._replace(item=item)
            for each, item in zip(assessed, stored, strict=True)
            if item is not None and text_hash(item) == each.assessment.text_hash
        ]

    def _is_sent(self, each: Assessed) -> bool:
        return self.follow.knows(each.item.item_id, each.assessment.text_hash)

    async def _write(self, partition: int, asked: _Asked) -> list[str]:
        if asked.unsent:
            await self.outbox.vectors(partition, asked.unsent)
        if not asked.assessed:
            return []
        refused = await self.store.write(asked.assessed)
        self._count([each for each in asked.assessed if each.item.item_id not in refused])
        return refused

    def _count(self, assessed: Sequence[Assessed]) -> None:
        for outcome, count in Counter(self._outcome(each) for each in assessed).items():
            self.metrics.assessed.labels(outcome).inc(count)
        reasons = Counter(reason for each in assessed if each.is_new for reason in each.assessment.reasons)
        for reason, count in reasons.items():
            self.metrics.defects.labels(reason).inc(count)

    def _outcome(self, each: Assessed) -> str:
        if not each.is_new:
            return "unchanged"
        if not each.item.title:
            return "untitled"
        return "good" if each.assessment.weight(self.settings) > 0 else "low_quality"


def _newest(changes: Sequence[Change]) -> dict[str, Change]:
    """Return the last change of each item; a deletion wins over a later withdrawal."""
    newest: dict[str, Change] = {}
    for change in changes:
        if not (isinstance(change, Withdrawn) and isinstance(newest.get(change.item_id), Deleted)):
            newest[change.item_id] = change
    return newest


def _parts(whole: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(whole)
    while part := list(islice(rest, size)):
        yield part

"""Keep the shop's catalogue: write `items` to the store, and tell the recommender of changes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agents.assess import Assess
from agents.keep_title import KeepTitle
from agents.metrics import Metrics
from agents.ports import ItemOutcome, ItemStore, Outbox
from models.catalogue import NO_CATEGORY
from models.contract.event_codec import EventSettings
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, DecodedItem, Deleted, Restocked, Withdrawn, changes_of, decode_items
from models.quality.repair import Repair, repair_item
from models.recommender import Recommender

# What lists know of an item's texts.
NAMES = ("category", "brand")


class StoredMarks(Protocol):
    """Keeps up to which offset of each partition the store has everything."""

    @property
    def lock(self) -> asyncio.Lock:
        """The lock held while items are written, by the agent of `items` and by a restore."""

    async def mark_start(self, partition: int) -> None:
        """Give a partition of which nothing is read yet its first mark."""

    async def mark_stored(self, partition: int, offset: int) -> None:
        """Move the mark of a partition: every record before `offset` is stored."""


@dataclass(frozen=True, slots=True)
class NoMarks:
    """The `StoredMarks` of a store that nothing restores: it has a lock and keeps no marks."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def mark_start(self, partition: int) -> None:
        """Do nothing."""

    async def mark_stored(self, partition: int, offset: int) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class KeepCatalogue:
    """Stores upserts and deletions of the partitions that this worker owns; then asks the models,
    if any.

    `marks` is told of each batch before anything of it is stored, and once all of it is.
    """

    events: EventSettings
    store: ItemStore
    outbox: Outbox
    metrics: Metrics
    assess: Assess | None = None
    marks: StoredMarks = field(default_factory=NoMarks)

    async def run(self, stream: AsyncIterable[RawBatch]) -> None:
        """Handle one batch after the other."""
        async for batch in stream:
            await self.handle(batch)

    async def handle(self, batch: RawBatch) -> None:
        """Store one batch. When this returns, the changes and the models' assessments of them are
        readable.

        Models may be slow: the items' own texts are readable before the models are asked.
        """
        await self.marks.mark_start(batch.partition)
        async with self.marks.lock:
            stored = await KeepTitle(self.store, self.assess).write(batch, decode_items(batch, self.events))
        self.metrics.refused_writes.labels("item").inc(stored.written.count(ItemOutcome.OVERTAKEN))
        await self.outbox.quarantine([each.rejected for each in stored.decoded if each.rejected is not None])
        if self.assess is not None:
            await self.assess.handle(batch.partition, stored.in_force)
        await self.marks.mark_stored(batch.partition, int(batch.offsets[-1]) + 1)
        self._count(stored.decoded, stored.written)
        self._count_repairs(stored.repairs)

    def _count(self, decoded: list[DecodedItem], written: Sequence[ItemOutcome]) -> None:
        self.metrics.batch_size.labels("catalogue").observe(len(decoded))
        became = iter(written)
        outcomes = (_outcome(each, next(became) if each.change is not None else None) for each in decoded)
        for outcome, count in Counter(outcomes).items():
            self.metrics.items.labels(outcome).inc(count)
        reasons = Counter(each.rejected.reason for each in decoded if each.rejected is not None)
        for reason, count in reasons.items():
            self.metrics.rejected.labels("item", reason).inc(count)
        self.metrics.unknown_fields.inc(sum(each.unknown_fields for each in decoded))
        for field_name, count in Counter(name for each in decoded for name in each.coerced).items():
            self.metrics.coerced.labels(field_name).inc(count)

    def _count_repairs(self, repairs: Iterable[Sequence[Repair]]) -> None:
        for rule, count in Counter(each.rule for done in repairs for each in done).items():
            self.metrics.repairs.labels(rule).inc(count)


@dataclass(frozen=True, slots=True)
class FollowCatalogue:
    """Tells this worker's recommender of every change, whichever worker owns the item.

    Calls `went_away` with each item that a list may hold and that may not be shown any more. It is
    not called for all unknown items when the first item of a catalogue arrives: most of them arrive
    soon too, and look-ups leave out the rest.
    """

    events: EventSettings
    recommender: Recommender
    went_away: Callable[[str], None]

    def handle(self, batch: RawBatch) -> None:
        """Apply one batch.

        Skips records that are older than what is known, and unreadable ones: their owner puts them
        in quarantine.
        """
        catalogue = self.recommender.catalogue
        changed, lists_unknown = False, catalogue.lists_unknown
        for change in changes_of(decode_items(batch, self.events)):
            if not isinstance(change, Deleted) and catalogue.is_outdated(change.item_id, change.updated_at):
                continue
            before, was_unknown = self._standing(change.item_id), catalogue.is_unknown(change.item_id)
            self._apply(change, batch.partition)
            after = self._standing(change.item_id)
            changed |= before != after
            if (before[0] or was_unknown) and not after[0]:
                self.went_away(change.item_id)
        if changed or lists_unknown != catalogue.lists_unknown:
            self.recommender.catalogue_changed()

    def _standing(self, item_id: str) -> tuple[bool, int]:
        """Return whether the item may be shown, and its category: all that lists depend on."""
        catalogue, number = self.recommender.catalogue, self.recommender.items.find(item_id)
        return catalogue.is_shown(item_id), NO_CATEGORY if number is None else catalogue.category_of(number)

    def _apply(self, change: Change, partition: int) -> None:
        catalogue = self.recommender.catalogue
        match change:
            case Item():
                catalogue.upsert(repair_item(change, NAMES)[0], partition)
            case Withdrawn():
                catalogue.withdraw(change.item_id, change.updated_at)
            case Restocked():
                catalogue.restock(change.item_id, change.updated_at, partition)
            case Deleted():
                catalogue.delete(change.item_id)


def _outcome(decoded: DecodedItem, written: ItemOutcome | None) -> str:
    """Return the outcome of a record, whose change, if it has one, was `written` or not.

    A record in quarantine counts as that alone, also if it withdrew an item.
    """
    if decoded.rejected is not None:
        return "quarantined"
    if written is ItemOutcome.OUTDATED:
        return "outdated"
    match decoded.change:
        case Withdrawn():
            return "withdrawn"
        case Restocked():
            return "restocked"
        case Deleted():
            return "deleted"
    return "upserted"

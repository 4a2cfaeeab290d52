"""Keep the last good title of each item: ask the store and the models, then store the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.assess import ITEMS_AT_ONCE, Assess
from agents.ports import ItemOutcome, ItemStore
from models.contract.event_codec import reject
from models.contract.events import Item, RawBatch
from models.contract.item_codec import Change, DecodedItem, Deleted, RecordPlace, changes_of, places_of
from models.contract.outcome import Reason
from models.quality.defect import Defect
from models.quality.last_good import ACCIDENTS, Settled, settle, to_judge
from models.quality.remark_words import is_remark
from models.quality.repair import Repair, repair_changes


class StoredItems(NamedTuple):
    """Holds what was stored of a batch: the changes as stored, their repairs, and all outcomes."""

    changes: list[Change]
    repairs: list[tuple[Repair, ...]]
    decoded: list[DecodedItem]
    written: list[ItemOutcome]

    @property
    def in_force(self) -> list[Change]:
        """The changes but for those of which a newer version was known."""
        became = zip(self.changes, self.written, strict=True)
        return [change for change, outcome in became if outcome is not ItemOutcome.OUTDATED]


@dataclass(frozen=True, slots=True)
class KeepTitle:
    """Repairs and stores decoded records of `items`, without losing a good title to a worse one.

    Without models, remarks are recognised by their words alone. Call `write` for one batch at a
    time: it reads what is stored before it writes.
    """

    store: ItemStore
    models: Assess | None = None

    async def write(self, batch: RawBatch, decoded: Sequence[DecodedItem]) -> StoredItems:
        """Store the changes of a batch; a record whose title was not taken is rejected, too."""
        places = places_of(batch, list(decoded))
        settled = await self._settle(*repair_changes(changes_of(list(decoded))), places)
        written = await self.store.write(settled.changes, places, settled.repairs, settled.kept)
        await self.store.retitle(list(settled.retitled.values()))
        rows = [row for row, each in enumerate(decoded) if each.change is not None]
        told = list(decoded)
        for number, kept in settled.kept.items():
            row, item = rows[number], settled.changes[number]
            detail = f"the title is {kept.defect}; {_shown(item)} is kept"
            told[row] = told[row]._replace(rejected=reject(batch, row, Reason.WORSE_THAN_BEFORE, detail))
        return StoredItems(settled.changes, settled.repairs, told, written)

    async def _settle(
        self, changes: Sequence[Change], repairs: Sequence[tuple[Repair, ...]], places: Sequence[RecordPlace]
    ) -> Settled:
        item_ids = list(dict.fromkeys(each.item_id for each in changes if isinstance(each, Item | Deleted)))
        stored = dict(zip(item_ids, await self.store.titles(item_ids), strict=True))
        defects = await self._judge(to_judge(changes, stored))
        return settle(changes, places, repairs, stored, lambda title: defects.get(title, ""))

    async def _judge(self, titles: Sequence[str]) -> dict[str, str]:
        """Return the accident of each title that has one."""
        found: dict[str, str] = {title: Defect.REMARK for title in titles if is_remark(title)}
        if self.models is None:
            return found
        for first in range(0, len(titles), ITEMS_AT_ONCE):
            part = titles[first : first + ITEMS_AT_ONCE]
            judged = await self.models.infer.assess([Item("", each) for each in part])
            accidents = [ACCIDENTS.intersection(each.reasons) for each in judged]
            found |= {title: min(named) for title, named in zip(part, accidents, strict=True) if named}
            self.models.advanced()
        return found


def _shown(change: Change) -> str:
    return repr(change.title[:80]) if isinstance(change, Item) else "nothing"

"""Keep the last good title of an item when a worse one comes.

A shop's stock system writes notes such as "damages" where a title stood. Such an update does not
replace a good title; its other fields count. What is kept depends on the records of the item and on
their order alone, so reading them again, or by another worker, keeps the same.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from models.contract.events import Item
from models.contract.item_codec import Change, Deleted, RecordPlace
from models.quality.assessment import Assessment
from models.quality.defect import Defect
from models.quality.remark_words import has_words_of_notes, is_remark, mostly_latin
from models.quality.repair import KEPT_RULE, LONGEST_KEPT, Repair

CONFIDENCE = 0.9
# Defects that come from accidents. A title full of offers may be what the shop wants to say.
ACCIDENTS = frozenset({Defect.GARBLED, Defect.ENCODING, Defect.MARKUP, Defect.REMARK})
WORD = re.compile(r"[^\W\d_]{3,}")
LONGEST_NOTE = 8

DefectOf = Callable[[str], str]


def good_title(assessment: Assessment) -> str:
    """Return the title that was assessed, empty if it had an accident."""
    return "" if ACCIDENTS.intersection(assessment.reasons) else assessment.title


class StoredText(NamedTuple):
    """What the store has of an item's title; empty if the item is deleted or was never there.

    `place` is that of the record that wrote the item last. If its title was not taken, `said` is
    that title, and `title_place` the place of the record which brought the one that is kept.
    `deletion` is the place of the item's last deletion: no title from before it is kept.
    `updated_at` is the newest time of a version: the store refuses older ones.
    """

    title: str = ""
    place: RecordPlace | None = None
    title_place: RecordPlace | None = None
    said: str = ""
    deletion: RecordPlace | None = None
    updated_at: float | None = None


class Kept(NamedTuple):
    """Says that a change keeps the title of an earlier record, and which defect its own had."""

    place: RecordPlace | None
    said: str
    defect: str


class Retitled(NamedTuple):
    """Another title for the item that the record at `over` wrote, and where that title is from.

    `place` is None, and `said` empty, if it is that record's own title.
    """

    item_id: str
    over: RecordPlace
    title: str
    place: RecordPlace | None
    said: str
    repairs: tuple[Repair, ...]


@dataclass(slots=True)
class Settled:
    """Holds the changes to be stored, with their repairs.

    `kept` has the rows whose title is an earlier one, `retitled` the titles to be put back.
    """

    changes: list[Change]
    repairs: list[tuple[Repair, ...]]
    kept: dict[int, Kept] = field(default_factory=dict)
    retitled: dict[str, Retitled] = field(default_factory=dict)


def to_judge(changes: Sequence[Change], stored: dict[str, StoredText]) -> list[str]:
    """Return the titles that have to be judged: of items of which more than one title is known."""
    titles: dict[str, set[str]] = {item_id: {text.title} for item_id, text in stored.items() if text.title}
    for change in changes:
        if isinstance(change, Item) and change.title:
            titles.setdefault(change.item_id, set()).add(change.title)
    return sorted({title for known in titles.values() if len(known) > 1 for title in known})


def settle(
    changes: Sequence[Change],
    places: Sequence[RecordPlace],
    repairs: Sequence[tuple[Repair, ...]],
    stored: dict[str, StoredText],
    defect_of: DefectOf,
) -> Settled:
    """Return what is to be stored of the changes, in their order.

    `stored` has the items of the changes as far as they are stored, and is brought up to date.
    `defect_of` names the accident of a title that stands alone, empty if it has none.
    """
    found = Settled(list(changes), list(repairs))
    for row, (change, place) in enumerate(zip(changes, places, strict=True)):
        known = stored.get(change.item_id, StoredText())
        if isinstance(change, Deleted):
            stored[change.item_id] = _settle_deletion(found, change.item_id, place, known)
        elif not _is_outdated(change.updated_at, known.updated_at):
            after = _settle_item(found, row, change, place, known, defect_of) if isinstance(change, Item) else known
            is_late = known.place is not None and place.is_before(known.place)
            newest = known.updated_at if is_late or change.updated_at is None else change.updated_at
            stored[change.item_id] = after._replace(updated_at=newest)
    return found


def _is_outdated(updated_at: float | None, newest: float | None) -> bool:
    return updated_at is not None and newest is not None and updated_at < newest


def _settle_item(
    found: Settled, row: int, item: Item, place: RecordPlace, known: StoredText, defect_of: DefectOf
) -> StoredText:
    if known.place is not None and place.is_before(known.place):
        return _settle_earlier(found, item, place, known, defect_of)
    defect = worse(known.title, item.title, defect_of) if known.title else ""
    if not defect:
        return StoredText(item.title, place, deletion=known.deletion)
    brought = known.title_place or known.place
    found.kept[row] = Kept(brought, item.title, defect)
    found.changes[row] = replace(item, title=known.title)
    found.repairs[row] = (*found.repairs[row], _repair(item.title, known.title))
    return StoredText(known.title, place, brought, item.title, known.deletion)


def _settle_earlier(
    found: Settled, item: Item, place: RecordPlace, known: StoredText, defect_of: DefectOf
) -> StoredText:
    """Put a good title back, if a worse one of a later record was stored first.

    That happens while an emptied store is filled from the log and new records come in.
    """
    kept = known.title_place
    if not known.title or not item.title or (kept is not None and place.is_before(kept)):
        return known
    if known.deletion is not None and place.is_before(known.deletion):
        return known
    if kept is not None:
        # A note that was refused beside the kept title is refused again when it is read again.
        heals = not defect_of(item.title) and not worse(known.title, item.title, defect_of)
    else:
        heals = bool(worse(item.title, known.title, defect_of))
    if not heals or known.place is None or item.title == known.title:
        return known
    said = known.said or known.title
    repairs = (_repair(said, item.title),)
    found.retitled[item.item_id] = Retitled(item.item_id, known.place, item.title, place, said, repairs)
    return known._replace(title=item.title, title_place=place, said=said)


def _settle_deletion(found: Settled, item_id: str, place: RecordPlace, known: StoredText) -> StoredText:
    """A deletion ends what is kept of the item: also a title that an earlier record brought."""
    if known.place is None or not place.is_before(known.place):
        return StoredText(place=place, deletion=place)
    if known.title_place is None or not known.title_place.is_before(place):
        return known
    found.retitled[item_id] = Retitled(item_id, known.place, known.said, None, "", ())
    return StoredText(known.said, known.place, deletion=place)


def worse(before: str, after: str, defect_of: DefectOf) -> str:
    """Return the defect that makes `after` a worse title than `before`; empty if it is none.

    Beside a good title, doubtful words are enough to see a note.
    """
    if not after or after == before or defect_of(before) or is_remark(before, beside_a_title=True):
        return ""
    if defect := defect_of(after):
        return defect
    if is_remark(after, beside_a_title=True) or _is_in_another_hand(before, after):
        return Defect.REMARK
    return ""


def _is_in_another_hand(before: str, after: str) -> bool:
    """Return whether a title in capitals is followed by a short note in small letters.

    The note has no word of the title. With a capital in front it has one word, or words of notes.
    Only Latin letters tell: most other scripts have no capitals, so a title in them is in neither.
    """
    if not (mostly_latin(before) and mostly_latin(after)):
        return False
    if not before.isupper() or after.isupper() or len(after.split()) > LONGEST_NOTE:
        return False
    if not (after.islower() or len(after.split()) == 1 or has_words_of_notes(after)):
        return False
    words = {word.lower() for word in WORD.findall(before)}
    return len(words) > 1 and not words & {word.lower() for word in WORD.findall(after)}


def _repair(before: str, after: str) -> Repair:
    return Repair("title", KEPT_RULE, before[:LONGEST_KEPT], after[:LONGEST_KEPT], CONFIDENCE)

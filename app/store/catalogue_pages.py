"""Goes through the catalogue in Redis in pages, for the console. The order is Redis' own.

No index of titles is kept: a search reads items until it found enough, or as many as one request
may read.
"""

from dataclasses import dataclass

from app.store import item_fields
from app.store.answers import CatalogueEntry, decode_item
from app.store.keys import Keys
from app.store.questions import Question

STEP_KEYS = 200
MOST_STEPS = 100  # 20,000 keys of any kind


@dataclass(frozen=True, slots=True)
class CatalogueChoice:
    """Which items are wanted: those with `text` in their id, title, category or brand, in any case.

    With `hidden_only`, those that no list may hold: not available, or judged not recommendable.
    """

    text: str = ""
    hidden_only: bool = False

    def takes(self, entry: CatalogueEntry) -> bool:
        """Return whether the item is wanted."""
        if self.hidden_only and entry.available and entry.recommendable is not False:
            return False
        wanted = self.text.casefold()
        return any(wanted in (text or "").casefold() for text in _texts(entry))


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """Some items. `cursor` is where the next page begins, 0 at the end; `read` is how many items
    were looked at.
    """

    entries: list[CatalogueEntry]
    cursor: int
    read: int


def ask_catalogue(keys: Keys, choice: CatalogueChoice, cursor: int, k: int) -> Question[CataloguePage]:
    """The items from `cursor` on, at least k if there are so many, and few more.

    A page may hold fewer, although more follow, when few of the items are wanted. An item that is
    written meanwhile may come twice.
    """
    head, _, tail = keys.item("*").partition("*")
    entries: list[CatalogueEntry] = []
    read = 0
    for _ in range(MOST_STEPS):
        [(found, names)] = yield [("SCAN", cursor, "MATCH", f"{_literal(head)}*{tail}", "COUNT", STEP_KEYS)]
        cursor = int(found)
        ids = [name.decode().removeprefix(head).removesuffix(tail) for name in names]
        if ids:
            rows = yield [("HMGET", keys.item(item_id), *item_fields.ENTRY_FIELDS) for item_id in ids]
            known = [decode_item(item_id, values) for item_id, values in zip(ids, rows, strict=True)]
            there = [each for each in known if each.known and not each.deleted]
            read += len(there)
            entries += filter(choice.takes, there)
        if not cursor or len(entries) >= k:
            break
    return CataloguePage(entries, cursor, read)


def _texts(entry: CatalogueEntry) -> tuple[str | None, ...]:
    return entry.item_id, entry.title, entry.category, entry.brand


def _literal(text: str) -> str:
    return "".join(rf"\{each}" if each in r"\[]?*" else each for each in text)

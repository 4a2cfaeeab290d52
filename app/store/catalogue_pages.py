"""Goes through the catalogue in Redis in pages, for the console. The order is Redis' own.

No index of titles is kept: a search reads items until it found enough, or as many as one request
may read.
"""

from dataclasses import dataclass

from app.store.clustered import Place
from app.store.commands import execute
from app.store.keys import Keys
from app.store.packed import Command, PackedRedis
from headrace import item_fields
from headrace.answers import CatalogueEntry, decode_item

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
    """Some items. `place` is where the next page begins, None at the end; `read` is how many items
    were looked at.
    """

    entries: list[CatalogueEntry]
    place: Place | None
    read: int


async def read_catalogue(
    redis: PackedRedis, keys: Keys, choice: CatalogueChoice, place: Place, k: int
) -> CataloguePage:
    """Return the items from `place` on, at least k if there are so many, and few more.

    A page may hold fewer, although more follow, when few of the items are wanted. An item that is
    written meanwhile may come twice. Raises RedisError, OSError and UnreadableAnswer.
    """
    head, _, tail = keys.item("*").partition("*")
    pattern = f"{_literal(head)}*{tail}"
    entries: list[CatalogueEntry] = []
    read, after = 0, place
    for _ in range(MOST_STEPS):
        names, following = await redis.some_keys(pattern, after, STEP_KEYS)
        ids = [name.decode().removeprefix(head).removesuffix(tail) for name in names]
        commands: list[Command] = [("HMGET", keys.item(item_id), *item_fields.ENTRY_FIELDS) for item_id in ids]
        rows = await execute(redis, commands) if commands else []
        known = [decode_item(item_id, values) for item_id, values in zip(ids, rows, strict=True)]
        there = [each for each in known if each.known and not each.deleted]
        read += len(there)
        entries += filter(choice.takes, there)
        if following is None or len(entries) >= k:
            return CataloguePage(entries, following, read)
        after = following
    return CataloguePage(entries, after, read)


def _texts(entry: CatalogueEntry) -> tuple[str | None, ...]:
    return entry.item_id, entry.title, entry.category, entry.brand


def _literal(text: str) -> str:
    return "".join(rf"\{each}" if each in r"\[]?*" else each for each in text)

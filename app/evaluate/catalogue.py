"""Gives the recommender a log's catalogue, and what the installed models say of its texts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from prometheus_client import CollectorRegistry

from agents.catalogue import FollowCatalogue
from agents.follow_vectors import FollowVectors
from agents.infer import InferLocally
from agents.metrics import Metrics
from app.datasets.folder import in_folder, open_dataset
from app.datasets.misfits import telling
from app.datasets.named_rows import LeftOut
from app.datasets.record import QUARANTINE, Record
from app.settings import Settings
from app.worker.with_models import find_models
from models.contract.events import Item, RawBatch
from models.contract.item_codec import changes_of, decode_items
from models.quality.assessment import encode_headers
from models.quality.repair import repair_changes
from models.ranker.goods import Goods
from models.recommender import Recommender

ITEMS_AT_ONCE = 256
TEXTS = ("category", "brand")

Show = Callable[[str], None]


class ItemRecords(NamedTuple):
    """A catalogue: where it is kept, and its records; each `read` begins at the first one."""

    path: Path
    read: Callable[[], Iterator[Record]]


def items_in(folder: Path) -> ItemRecords | None:
    """Return the catalogue in `folder`, if there is any.

    Raises HeadraceError when it cannot be read.
    """
    file = in_folder(folder, "items")
    return None if file is None else ItemRecords(file, open_dataset(file).items)


def learn_catalogue(found: ItemRecords | None, recommender: Recommender, settings: Settings) -> Sequence[Item]:
    """Tell the recommender the items. Returns their final state. Rows that the worker would reject
    are left out and logged.

    Raises HeadraceError when the catalogue cannot be used.
    """
    if found is None:
        return []
    rows = telling(found.read(), "is left out")
    left_out = LeftOut(found.path)
    items = _follow((each for each in rows if each.topic != QUARANTINE), recommender, settings, left_out)
    left_out.tell()
    return items


def describe_goods(found: ItemRecords | None, recommender: Recommender, goods: Goods) -> None:
    """Tell the ranker category, brand and price of the items, also of those without a title, which
    the recommender refuses.

    Raises HeadraceError when the catalogue cannot be read.
    """
    for record in found.read() if found is not None else ():
        row = _object(record.value) if record.topic != QUARANTINE else {}
        item_id, price = row.get("item_id"), row.get("price")
        if isinstance(item_id, str) and item_id:
            category, brand = (name if isinstance(name := row.get(field), str) else "" for field in TEXTS)
            known = isinstance(price, int | float) and not isinstance(price, bool) and price > 0
            goods.describe(recommender.items.number(item_id), category, brand, price if known else None)


def _object(value: bytes | None) -> dict[str, Any]:
    """Return the record's fields; none if it holds no JSON object."""
    try:
        fields = orjson.loads(value or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


@dataclass(frozen=True, slots=True)
class AssessedItems:
    """What models say of a catalogue's items: their keys by task, and the assessments."""

    models: Mapping[str, str]
    infer: InferLocally
    batches: Sequence[RawBatch]

    def tell(self, recommender: Recommender) -> None:
        """Let the recommender know."""
        follow = FollowVectors(self.infer.models, self.infer.settings, recommender, _nobody)
        for batch in self.batches:
            follow.handle(batch)


def assess_catalogue(items: Sequence[Item], settings: Settings, show: Show) -> AssessedItems | None:
    """Let the installed models read the items; None without models, or items with a title.

    As in the worker, an item without a title is not judged and has no vector: that of an empty text
    would make all such items alike.

    Raises HeadraceError when a model cannot be used.
    """
    titled = [each for each in items if each.title]
    loaded = find_models(settings, Metrics(CollectorRegistry())) if titled else None
    if loaded is None:
        return None

    async def ask() -> list[RawBatch]:
        async with loaded.running():
            return [each async for each in _assess(titled, loaded.infer, show)]

    batches, models = asyncio.run(ask()), loaded.infer.models
    keys = {task: key for task, key in (("embedding", models.embedding), ("quality", models.quality)) if key}
    return AssessedItems(keys, loaded.infer, batches)


def _follow(
    records: Iterator[Record], recommender: Recommender, settings: Settings, left_out: LeftOut
) -> Sequence[Item]:
    """Tell the recommender all records. Returns the final state of the items."""
    follow = FollowCatalogue(settings.events, recommender, _nobody)
    newest: dict[str, Item] = {}
    while part := list(islice(records, ITEMS_AT_ONCE)):
        batch = _batch([each.key for each in part], [each.value for each in part])
        follow.handle(batch)
        decoded = decode_items(batch, settings.events)
        for record, each in zip(part, decoded, strict=True):
            if each.rejected is not None:
                left_out.add(record.row, each.rejected.detail)
        changes, _ = repair_changes(changes_of(decoded))
        newest |= {each.item_id: each for each in changes if isinstance(each, Item)}
    return list(newest.values())


async def _assess(items: Sequence[Item], infer: InferLocally, show: Show) -> AsyncIterator[RawBatch]:
    for first in range(0, len(items), ITEMS_AT_ONCE):
        part = items[first : first + ITEMS_AT_ONCE]
        assessments = await infer.assess(part)
        headers = [encode_headers(each) for each in assessments]
        yield _batch([item.item_id.encode() for item in part], [each.vector for each in assessments], headers)
        show(f"read {first + len(part):,} of {len(items):,} items")


def _batch(
    keys: list[bytes | None], values: list[bytes | None], headers: Sequence[Sequence[tuple[str, bytes]]] = ()
) -> RawBatch:
    size = len(values)
    return RawBatch("evaluate", 0, np.arange(size), np.zeros(size), keys, values, headers=headers)


def _nobody(_item_id: str) -> None:
    """Do nothing: there are no lists yet that show the item."""

"""Reads a log once, and tells what is in it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
import orjson

from app.datasets.record import Dataset, Record
from app.filecheck.rejected import ROWS_AT_ONCE, ROWS_SHOWN, Identity, RejectedRow, judge
from app.inventory.items import take_stock
from app.inventory.tally import TopicTally
from app.settings import Settings
from models.contract.events import Item, RawBatch
from models.contract.item_codec import changes_of, decode_items
from models.contract.masked import Named, shown_value

ITEMS = "items"
MOST_ITEMS = 200_000  # items whose texts are kept in memory


def stock_of(
    dataset: Dataset, settings: Settings, now: float, most: int | None, named: Named, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return the inventory of up to `most` rows of a log, or of all, as JSON has it.

    `now`, in seconds since 1970, stands for the broker's time. `named` gives pseudonyms. `tell` is
    told of the progress. Raises HeadraceError.
    """
    topics: dict[str, TopicTally] = {}
    rejected: Counter[str] = Counter()
    samples: defaultdict[str, list[RejectedRow]] = defaultdict(list)
    seen: set[Identity] = set()
    items: dict[str, Item] = {}
    left_out: Counter[str] = Counter()
    rows = repeats = 0
    records = chain.from_iterable(
        _records(each.records(lambda what: left_out.update([what])), most) for each in dataset.sources
    )
    while part := list(islice(records, ROWS_AT_ONCE)):
        rows += len(part)
        tell(f"{rows:,} rows read")
        judged = judge(part, settings.events, now)
        for row in judged.rejected:
            rejected[row.reason] += 1
            if len(samples[row.reason]) < ROWS_SHOWN:
                samples[row.reason].append(row)
        before = len(seen)
        seen.update(judged.identities)
        repeats += len(judged.identities) - (len(seen) - before)
        for record in part:
            _take(record, topics)
        if len(items) < MOST_ITEMS:
            items |= _items([each for each in part if each.topic == ITEMS], settings, now)
    tell(f"{rows:,} rows read; looking at the items")
    return {
        "name": dataset.name,
        "rows": rows,
        "rejected_rows": rejected.total(),
        "repeats": repeats,
        "left_out": dict(left_out.most_common()),
        "topics": [each.as_json() for each in topics.values()],
        "rejected": [
            {"reason": reason, "count": count, "samples": [_sample(each, named) for each in samples[reason]]}
            for reason, count in rejected.most_common()
        ],
        **take_stock(list(items.values()), settings),
    }


def _records(records: Iterator[Record], most: int | None) -> Iterator[Record]:
    return records if most is None else islice(records, most)


def _take(record: Record, topics: dict[str, TopicTally]) -> None:
    if record.topic == "quarantine" or record.value is None:
        return
    try:
        values = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        return
    if isinstance(values, dict):
        topics.setdefault(record.topic, TopicTally(record.topic)).take(values)


def _items(records: list[Record], settings: Settings, now: float) -> dict[str, Item]:
    if not records:
        return {}
    rows = len(records)
    batch = RawBatch(
        ITEMS,
        0,
        np.arange(rows),
        np.full(rows, now),
        [each.key for each in records],
        [each.value for each in records],
    )
    found = changes_of(decode_items(batch, settings.events))
    return {each.item_id: each for each in found if isinstance(each, Item)}


def _sample(row: RejectedRow, named: Named) -> dict[str, Any]:
    """A row whose columns are not known may hold an id anywhere, so its content is not shown."""
    value = None if row.is_raw or not row.fields else shown_value(orjson.dumps(row.fields, default=str), None, named)
    return {"row": row.row, "detail": row.detail, "value": value}

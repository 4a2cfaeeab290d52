"""A real shop's titles as its stock system changed them: no product ends as a remark."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

from builders import Fields, batch
from fakes import MemoryItems

from agents.keep_title import KeepTitle
from models.contract.event_codec import EventSettings
from models.contract.events import Item
from models.contract.item_codec import decode_items
from models.contract.outcome import Reason

AT_ONCE = 200


def changes_of_titles(folder: Path) -> list[tuple[str, str]]:
    """Return (code, title) of each row that changes the title of its code, in the order of rows."""
    newest: dict[str, str] = {}
    changes = []
    with gzip.open(folder / "uci_online_retail" / "raw_rows.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            code, title = row["StockCode"], row["Description"].strip()
            if title and newest.get(code) != title:
                newest[code] = title
                changes.append((code, title))
    return changes


async def kept_titles(changes: list[tuple[str, str]], at_once: int) -> tuple[dict[str, str], set[str]]:
    """Return the stored title of each code, and the titles that were not taken."""
    store, refused = MemoryItems(), set()
    for first in range(0, len(changes), at_once):
        values: list[Fields] = [{"item_id": code, "title": title} for code, title in changes[first : first + at_once]]
        records = batch(*values, topic="items", first=first)
        stored = await KeepTitle(store).write(records, decode_items(records, EventSettings()))
        refused |= {each.rejected.offset for each in stored.decoded if each.rejected is not None}
        assert {each.rejected.reason for each in stored.decoded if each.rejected} <= {Reason.WORSE_THAN_BEFORE}
    titles = {code: each.title for code, each in store.items.items() if isinstance(each, Item)}
    return titles, {changes[offset][1] for offset in refused}


async def test_products_keep_their_titles(shop_data: Path) -> None:
    changes = changes_of_titles(shop_data)
    seen = defaultdict(list)
    for code, title in changes:
        seen[code].append(title)
    products = {code for code, titles in seen.items() if any(each.isupper() and " " in each for each in titles)}
    remarked = [code for code in products if seen[code][-1].islower()]
    assert len(remarked) > 50
    titles, refused = await kept_titles(changes, AT_ONCE)
    assert [titles[code] for code in remarked if titles[code].islower()] == []
    taken_for_worse = {each for each in refused if each.isupper() and len(each.split()) > 2 and "?" not in each}
    assert taken_for_worse == set()
    again, _ = await kept_titles(changes, len(changes))
    assert again == titles

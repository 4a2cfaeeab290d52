"""Reads events from CSV.

A column is a field of the contract; the column `kind` chooses the topic.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import orjson

from app.datasets.field import event_time, number, topic_of
from app.datasets.record import Record, Row, quarantined, user_key
from app.datasets.rows import CsvTable, csv_table
from models.contract.outcome import Reason

TEXTS = ("event_id", "user_id", "session_id", "item_id", "request_id", "surface", "currency")
NUMBERS = ("ts", "price", "quantity", "position")
REQUIRED = ("event_id", "ts", "item_id", "kind")


def csv_events(path: Path) -> Iterator[Record]:
    """Yield each row as an event of the contract.

    An empty cell is an absent field; other columns are dropped. A row that has no topic (an unknown
    kind, not UTF-8, not CSV, too many cells) goes to quarantine unchanged.

    Raises HeadraceError when the file cannot be read, or lacks a column without which no row could
    be accepted.
    """
    reads = (*TEXTS, *NUMBERS, "rating")
    with csv_table(path, required=REQUIRED, either=("user_id", "session_id"), reads=reads) as table:
        texts, numbers = _present(table, TEXTS), _present(table, NUMBERS)
        kind, rating = table.columns["kind"], table.columns.get("rating")
        for cells in table:
            if isinstance(cells, str):
                yield quarantined(table.row(), Reason.INVALID_VALUE, cells)
                continue
            topic = topic_of(cells[kind], cells[rating] if rating is not None else "")
            if isinstance(topic, Reason):
                yield _misfit(table.row(), topic, cells[kind])
                continue
            event: dict[str, object] = {name: cell for name, at in texts if (cell := cells[at])}
            for name, at in numbers:
                if cell := cells[at]:
                    event[name] = number(cell)
            yield _record(topic, event, table)


def _present(table: CsvTable, names: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(name, table.columns[name]) for name in names if name in table.columns]


def _record(topic: str, event: dict[str, object], table: CsvTable) -> Record:
    try:
        value = orjson.dumps(event)
    except orjson.JSONEncodeError:  # orjson refuses only text that was not UTF-8
        return quarantined(table.row(), Reason.INVALID_UTF8, "the row is not UTF-8")
    key = user_key(cast(str | None, event.get("user_id")), cast(str | None, event.get("session_id")))
    return Record(topic, key, value, event_time(event.get("ts")), row=table.number)


def _misfit(row: Row, reason: Reason, kind: str) -> Record:
    if reason is Reason.UNKNOWN_KIND:
        return quarantined(row, reason, f"kind {kind[:64]!r} is none of view, click, order, cart, fav, rating")
    return quarantined(row, reason, "a rating needs a number in the column rating")

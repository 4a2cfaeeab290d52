"""A check by columns finds what a check row by row finds, whatever is in the file."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.datasets.folder import open_dataset
from app.datasets.mapping import NO_MAPPING, FileMapping
from app.datasets.record import Dataset
from app.errors import HeadraceError
from app.filecheck.count import check_log
from app.filecheck.shown import as_object
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0
IDS = ["e1", "e2", "e3", "", "x" * 129, "x" * 128, "\u00fc" * 128, "\u0000", "7", " ", '"', 'a"b', "a,b", "two\nlines"]
AMOUNTS = [
    "",
    "0",
    "0.0",
    "1",
    "9",
    "9.0",
    "12.50",
    "12,50",
    "-1",
    "nan",
    "inf",
    "1e300",
    "9007199254740993",
    "1_0",
    " 2 ",
]
TIMES = [
    "1700000000", "1700000000.5", "1700000000123", "", "5", "-1", "2023-11-14 22:13:20", "2023-11-14T22:13:20Z",
    "2023-11-14 22:13:20 UTC", "9999999999", "1_700_000_000", "now", "1.5e-3", "2016-12-31T23:59:60Z", "1.7e9",
]  # fmt: skip
COLUMNS: dict[str, dict[str, list[str]]] = {
    "events": {
        "event_id": IDS,
        "ts": TIMES,
        "user_id": ["u", "u", *IDS],
        "session_id": ["", "u", *IDS],
        "item_id": ["i", *IDS],
        "kind": ["view", "click", "order", "cart", "rating", "Order", "poke", ""],
        "price": AMOUNTS,
        "quantity": AMOUNTS,
        "currency": ["", "EUR", "eur", " EUR", "EURO", "\u00c4\u00d6\u00dc"],
        "surface": ["", *IDS],
        "note": ["", "n"],
    },
    "items": {
        "item_id": ["i", *IDS],
        "title": ["", "Cup", "\u200b", "\u3164", "!", " Cup", "x" * 2001, *IDS],
        "category": ["", "a > b", "a.b", "x" * 2001],
        "price": AMOUNTS,
        "available": ["", "1", "0", "in stock", "maybe", "-1"],
        "attributes": ["", "{}", '{"a": 1}', "[]", "a"],
        "updated_at": TIMES,
        "url": ["", "https://a.example", "x" * 4097],
    },
    "2019-Oct": {
        "event_time": TIMES,
        "event_type": ["view", "cart", "purchase", "remove_from_cart", "", "poke"],
        "product_id": ["1", *IDS],
        "price": AMOUNTS,
        "user_id": ["u", *IDS],
        "user_session": ["", "s"],
    },
    "retailrocket": {
        "timestamp": TIMES,
        "visitorid": ["1", *IDS],
        "event": ["view", "addtocart", "transaction", "poke"],
        "itemid": ["1", *IDS],
    },
}
MAPPINGS = [
    NO_MAPPING,
    FileMapping(decimal=","),
    FileMapping(time_zone="UTC", kinds={"poke": "skip"}),
    FileMapping(time_unit="auto", kind="order"),
]


def csv_file(name: str, rows: list[list[str]], ending: str = "\n") -> bytes:
    """Return the rows as CSV; a cell that is one quote stays as it is, which is wrong."""
    quoted = [
        ",".join(
            cell if cell == '"' or not set(cell) & set('",\n') else '"' + cell.replace('"', '""') + '"' for cell in row
        )
        for row in [list(COLUMNS[name]), *rows]
    ]
    return ending.join([*quoted, ""]).encode()


def found(log: Dataset, most: int | None, limits: EventSettings) -> list[dict[str, Any]]:
    return [as_object(check_log(replace(log, sources=(each,)), limits, NOW, most)) for each in log.sources]


def by_rows(log: Dataset) -> Dataset:
    assert all(each.portions for each in log.sources)
    return replace(log, sources=tuple(replace(each, portions=None) for each in log.sources))


def agree(name: str, content: bytes, mapping: FileMapping, limits: EventSettings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            log = open_dataset(path, mapping)
        except HeadraceError:  # a header may be unreadable, which no check of rows sees
            return
        assert found(log, None, limits) == found(by_rows(log), None, limits)


def rows_of(name: str) -> st.SearchStrategy[list[list[str]]]:
    row = st.tuples(*(st.sampled_from(cells) for cells in COLUMNS[name].values())).map(list)
    short = st.tuples(row, st.integers(1, 12)).map(lambda pair: pair[0][: pair[1]])
    long = row.map(lambda cells: [*cells, "behind", "these"])
    return st.lists(st.one_of(row, row, row, short, long), min_size=1, max_size=15)


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_columns_of_csv_are_judged_as_its_rows_are(name: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of(name))
    ending = data.draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    content = csv_file(name, rows, ending)
    if data.draw(st.booleans()):
        header, body = content.split(b"\n", 1)
        damaged = header + b"\n" + body.replace(b"u", b"\xff", 3)
        content = damaged if data.draw(st.booleans()) else b"\xef\xbb\xbf" + content
    limits = EventSettings(max_bytes=data.draw(st.sampled_from([1_000, 1_000_000])), strict=data.draw(st.booleans()))
    agree(f"{name}.csv", content, data.draw(st.sampled_from(MAPPINGS)), limits)


JSON_VALUES: st.SearchStrategy[object] = st.one_of(
    st.sampled_from([None, True, 0, 1, 7, 9.5, -1, 2**60, "", "e1", "view", "x" * 129, "\u200b", [], {}, {"a": 1}]),
    st.sampled_from(TIMES),
)
GOOD: dict[str, dict[str, Any]] = {
    "events": {"event_id": "e", "ts": 1700000000, "user_id": "u", "item_id": "i", "kind": "view"},
    "items": {"item_id": "i", "title": "Cup", "price": 2, "available": True},
}
MORE = ["__deleted", "payload", "note", "session_id", "availability", "updated_at", "url", "quantity", "op", "after"]


@st.composite
def objects(draw: st.DrawFn, name: str) -> bytes:
    fields = dict(GOOD[name])
    for key in draw(st.lists(st.sampled_from([*fields, *MORE, "price"]), max_size=2)):
        fields[key] = draw(JSON_VALUES)
    if draw(st.integers(0, 5)) == 0:
        fields.pop(draw(st.sampled_from(list(fields))))
    line = orjson.dumps(fields)
    return draw(
        st.sampled_from([line, line, line, line, b"", b"null", b"{", line + b"}", line.replace(b"i", b"\xff", 1)])
    )


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_lines_of_json_are_judged_together_as_they_are_one_by_one(name: str, data: st.DataObject) -> None:
    first = orjson.dumps(GOOD[name])
    lines = [first, *data.draw(st.lists(objects(name), max_size=20))]
    agree(f"{name}.jsonl", b"\n".join([*lines, b""]), NO_MAPPING, EventSettings(strict=data.draw(st.booleans())))


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_a_part_of_a_file_is_as_many_rows(most: int, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    rows = [[f"e{n}", "1700000000", "u", "", "i", "view", "", "", "", "", ""] for n in range(4)]
    path.write_bytes(csv_file("events", rows))
    [result] = found(open_dataset(path), most, EventSettings())
    assert (result["files"][0]["rows"], result["files"][0]["whole"]) == (min(most, 4), most > 3)

"""Twelve kinds of dirt: each message names a way out, and the way out works when it is followed.

What is rejected is in quarantine; nothing lands in a wrong field.
"""

import re
import shlex
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.commands.file_options import add_file_options, mapping_of
from app.datasets.folder import open_dataset
from app.datasets.mapping import NO_MAPPING, FileMapping
from app.datasets.record import Dataset
from app.errors import HeadraceError
from app.filecheck.count import CheckedLog, check_log
from app.filecheck.shown import as_object, as_text
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0
OPTION = re.compile(r"--\S+ (?:'[^']*'|\S+)")
HEAD = "event_id,ts,user_id,item_id,kind,price"
GOOD = [f"g{n},17000000{n:02},u{n},i{n},view," for n in range(10)]


@dataclass(frozen=True)
class Dirt:
    """A row of CSV with a fault, the option that the message has to name, and the true values."""

    row: str
    reason: str
    option: str
    truth: dict[str, Any]
    head: str = HEAD


CYRILLIC = "\u043a\u0440\u0443\u0436\u043a\u0430"
SKU_HEAD = "event_id,ts,user_id,item_id,sku,kind"
CUSTOMER_HEAD = "event_id,ts,user_id,customer_id,item_id,kind"
SWAPPED = "--map ts=user_id --map user_id=ts"
DIRT = {
    "milliseconds": Dirt("1,1700000000123,u,i,view,", "from_the_future", "--time-unit ms", {"ts": 1700000000.123}),
    "microseconds": Dirt("1,1700000000123456,u,i,view,", "from_the_future", "--time-unit us", {"item_id": "i"}),
    "nanoseconds": Dirt("1,1700000000123456789,u,i,view,", "from_the_future", "--time-unit ns", {"item_id": "i"}),
    "no zone": Dirt("1,2023-11-14 22:13:20,u,i,view,", "invalid_time", "--time-zone UTC", {"ts": 1700000000}),
    "german times": Dirt(
        "1,14.11.2023 22:13:20,u,i,view,",
        "invalid_time",
        "--time-format '%d.%m.%Y %H:%M:%S' --time-zone UTC",
        {"ts": 1700000000},
    ),
    "american times": Dirt(
        "1,11/14/2023 22:13,u,i,view,",
        "invalid_time",
        "--time-format '%m/%d/%Y %H:%M' --time-zone UTC",
        {"ts": 1699999980},
    ),
    "decimal commas": Dirt('1,1700000000,u,i,order,"12,50"', "wrong_type", "--decimal ,", {"price": 12.5}),
    "thousands": Dirt('1,1700000000,u,i,order,"1.249,00"', "wrong_type", "--decimal ,", {"price": 1249}),
    "other words": Dirt("1,1700000000,u,i,Add to Cart,", "unknown_kind", "--kind 'Add to Cart=cart'", {"item_id": "i"}),
    "unknown words": Dirt("1,1700000000,u,i,poke,", "unknown_kind", "--kind poke=skip", {}),
    "kind and item swapped": Dirt(
        "1,1700000000,u,view,i,", "unknown_kind", "--map kind=item_id --map item_id=kind", {"item_id": "i"}
    ),
    "time and user swapped": Dirt(
        "1,mira,1700000000,i,view,", "invalid_time", SWAPPED, {"ts": 1700000000, "user_id": "mira"}
    ),
    "another column for the item": Dirt(
        "1,1700000000,u,,i,view", "missing_field", "--map item_id=sku", {"item_id": "i"}, SKU_HEAD
    ),
    "another column for the user": Dirt(
        "1,1700000000,,mira,i,view", "no_user", "--map user_id=customer_id", {"user_id": "mira"}, CUSTOMER_HEAD
    ),
    "another alphabet": Dirt(
        f"1,1700000000,u,{CYRILLIC},view,", "invalid_utf8", "--encoding cp1251", {"item_id": CYRILLIC}
    ),
}


def options(text: str) -> FileMapping:
    parser = ArgumentParser()
    add_file_options(parser)
    return mapping_of(parser.parse_args(shlex.split(text)))


def write(folder: Path, dirt: Dirt) -> Path:
    path = folder / "events.csv"
    encoding = "cp1251" if "cp1251" in dirt.option else "utf-8"
    path.write_bytes(("\n".join([dirt.head, dirt.row]) + "\n").encode(encoding))
    return path


def checked(dataset: Dataset) -> CheckedLog:
    return check_log(dataset, EventSettings(), NOW, None)


@pytest.mark.parametrize("name", DIRT)
def test_the_way_out_of_a_fault_works_when_it_is_followed(name: str, tmp_path: Path) -> None:
    dirt = DIRT[name]
    path = write(tmp_path, dirt)
    [source] = checked(open_dataset(path)).sources
    assert (source.accepted.total(), source.rejected) == (0, 1)
    [complaint] = source.complaints
    assert complaint.reason == dirt.reason
    for option in OPTION.findall(dirt.option):
        assert option in complaint.way_out

    mapping = options(dirt.option)
    [mended] = checked(open_dataset(path, mapping)).sources
    assert (mended.accepted.total(), mended.rejected) == (1 if dirt.truth else 0, 0)
    for record in open_dataset(path, mapping).events():
        assert orjson.loads(record.value or b"").items() >= dirt.truth.items()


@pytest.mark.parametrize(
    ("row", "way"),
    [
        ("1,1700000000,u,i,order,9,50", "put quotes around"),
        ("1,1700000000,u,order,9.50", "write empty cells too"),
        ('1,1700000000,u,"i"x,view,', "write a quote inside a cell twice"),
        ("1,1700000000,u,i,order,12.50 €", "write the number alone, without a currency"),
        ("1,1700000000,u,i,order,0", "leave the cell empty if the price is not known"),
        ("1,45244.5,u,i,view,", "days of a spreadsheet? format the column as 2023-11-14 22:13:20"),
        ("1,1700000.0,u,i,view,", "times of several units? try --time-unit auto"),
        (f"1,1700000000,u,{'i' * 200},view,", "shorten the text"),
        ("1,99999999999999999999999,u,i,view,", "correct the clock"),
    ],
)
def test_a_fault_that_no_option_mends_is_told_with_what_to_write(row: str, way: str, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("\n".join([HEAD, *GOOD, row]) + "\n")
    log = checked(open_dataset(tmp_path))
    [source] = log.sources
    [complaint] = source.complaints
    assert way in f"{complaint.rows[0].detail} {complaint.way_out}"
    assert source.accepted.total() == len(GOOD)
    assert log.fault == ""


@pytest.mark.parametrize(
    ("row", "option"),
    [
        ("1,1700000000123,u,i,view,", "--time-unit auto"),
        ("1,14.11.2023 22:13:20,u,i,view,", "--time-format '%d.%m.%Y %H:%M:%S' --time-zone UTC"),
        ('1,1700000000,u,i,order,"12,50"', "--decimal ,"),
        ("1,1700000000,u,i,Purchase,", "--kind Purchase=order"),
    ],
)
def test_the_way_out_of_a_few_rows_leaves_the_good_ones_as_they_are(row: str, option: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("\n".join([HEAD, *GOOD, row, "2,2023-11-14T22:13:20Z,u,i,view,2.50"]) + "\n")
    [source] = checked(open_dataset(path)).sources
    assert [each for each in OPTION.findall(option) if each not in source.complaints[0].way_out] == []
    before = list(open_dataset(path).events())
    [mended] = checked(open_dataset(path, options(option))).sources
    assert (mended.accepted.total(), mended.rejected) == (len(GOOD) + 2, 0)
    after = list(open_dataset(path, options(option)).events())
    assert after[: len(GOOD)] == before[: len(GOOD)]
    assert after[-1] == before[-1]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_kind_that_is_null_is_to_be_filled_in(form: str, tmp_path: Path) -> None:
    kinds = ["view"] * 10 + [None]
    rows = [
        {"event_id": f"e{n}", "ts": 1_700_000_000 + n, "user_id": "u", "item_id": "i", "kind": kind}
        for n, kind in enumerate(kinds)
    ]
    path = tmp_path / f"events.{form}"
    if form == "parquet":
        pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    [source] = checked(open_dataset(path)).sources
    [complaint] = source.complaints
    assert (complaint.reason, complaint.way_out) == ("unknown_kind", "fill the kind in, or leave the row out")


def test_a_few_rows_in_disorder_do_not_exchange_the_columns_of_all(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("\n".join([HEAD, *GOOD, "1,mira,1700000000,i,view,"]) + "\n")
    [source] = checked(open_dataset(tmp_path)).sources
    assert "put them in the order of the columns" in source.complaints[0].way_out


def test_what_is_rejected_is_counted_with_its_first_three_rows(tmp_path: Path) -> None:
    rows = [f"{n},1700000000{n:03},u,i,view," for n in range(7)]
    (tmp_path / "events.csv").write_text("\n".join([HEAD, *GOOD, *rows]) + "\n")
    text = as_text(checked(open_dataset(tmp_path)))
    assert "events.csv: events in Headrace's own form (CSV separated by commas)" in text
    assert "17 events: 10 would be accepted (10 views), 7 rejected" in text
    assert "rejected: 7 from_the_future times lie in the year 55,840" in text
    assert [line.split(":")[0].strip() for line in text.splitlines() if line.startswith("    row")] == [
        "row 11", "row 12", "row 13",
    ]  # fmt: skip
    assert "→ times of several units? try --time-unit auto" in text


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        (10, 0, ""),
        (10, 10, ""),
        (10, 11, "more than half would be rejected: 11 of 21 rows"),
        (0, 3, "nothing would be accepted: all 3 rows are rejected"),
        (0, 0, "nothing would be accepted: there is no row"),
    ],
)
def test_a_log_that_is_mostly_rejected_is_a_fault(good: int, bad: int, fault: str, tmp_path: Path) -> None:
    rows = [*GOOD[:good], *(f"{n},1700000000,u,i,poke," for n in range(bad))]
    (tmp_path / "events.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    log = checked(open_dataset(tmp_path))
    assert log.fault.startswith(fault)
    assert bool(log.fault) == bool(fault)
    assert as_object(log)["ok"] is not bool(fault)


def test_events_of_which_none_is_accepted_are_a_fault_beside_a_good_catalogue(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(f"{HEAD}\n1,1700000000,u,i,poke,\n")
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"{n},Pen {n}\n" for n in range(9)))
    assert checked(open_dataset(tmp_path)).fault.startswith("no event would be accepted: all 1 are rejected")


def test_a_sample_says_that_it_is_one(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("\n".join([HEAD, *GOOD]) + "\n")
    log = check_log(open_dataset(tmp_path), EventSettings(), NOW, 4)
    assert not log.sources[0].is_whole
    assert "the first 4 events: 4 would be accepted" in as_text(log)
    assert check_log(open_dataset(tmp_path), EventSettings(), NOW, 10).sources[0].is_whole


def test_repeats_and_what_is_left_out_are_counted(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("\n".join([HEAD, GOOD[0], GOOD[0], "1,1700000000,u,i,poke,"]) + "\n")
    mapping = FileMapping(kinds={"poke": "skip"})
    [source] = checked(open_dataset(tmp_path, mapping)).sources
    assert (source.repeats, dict(source.left_out)) == (1, {"poke": 1})


def test_a_column_that_looks_like_a_field_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,title,in_stock,shelf\n1,Pen,false,A3\n")
    text = as_text(checked(open_dataset(path)))
    assert "the column in_stock is not read: try --map 'available=in_stock' if it holds available" in text
    assert "shelf" not in text
    [item] = open_dataset(path, options("--map available=in_stock")).items()
    assert orjson.loads(item.value or b"")["available"] is False


def test_words_without_end_do_not_make_complaints_without_end(tmp_path: Path) -> None:
    rows = [f"{n},1700000000,u,i,word{n}," for n in range(500)]
    (tmp_path / "events.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    [source] = checked(open_dataset(tmp_path)).sources
    assert len(source.complaints) <= 20
    assert sum(each.count for each in source.complaints) == 500


def test_a_separator_is_found_or_named(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{HEAD}\n{GOOD[0]}\n".replace(",", "^"))
    with pytest.raises(HeadraceError, match="--separator"):
        open_dataset(path)
    assert checked(open_dataset(path, options("--separator ^"))).fault == ""


def test_the_options_of_a_file_are_added_to_by_those_of_the_command(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(options("--map item_id=sku --kind bought=order --time-unit ms").saved())
    both = options(f"--mapping {file} --map user_id=client --time-unit us")
    assert both == FileMapping(
        columns={"item_id": "sku", "user_id": "client"}, kinds={"bought": "order"}, time_unit="us"
    )
    assert options("") == NO_MAPPING

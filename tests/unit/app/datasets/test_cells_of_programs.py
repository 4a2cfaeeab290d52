"""Cells as databases, data frames and spreadsheets write what they cannot write as it is."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.datasets.folder import open_dataset
from app.datasets.record import Record
from app.errors import HeadraceError
from app.filecheck.count import check_log
from app.filecheck.shown import as_text
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0
HEAD = "event_id,ts,user_id,session_id,item_id,kind,price"


def records(folder: Path, *rows: str, head: str = HEAD, name: str = "events.csv") -> list[Record]:
    path = folder / name
    path.write_text("\n".join([head, *rows, ""]))
    dataset = open_dataset(path)
    return list(dataset.items() if name.startswith("items") else dataset.events())


def checked(folder: Path) -> str:
    return as_text(check_log(open_dataset(folder), EventSettings(), NOW, None))


def fields(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(record.value or b"")
    return found


@pytest.mark.parametrize("nothing", ["\\N", "NULL", "null", "NaN", "nan", "<NA>", "None", "undefined", "#N/A"])
def test_a_cell_that_says_that_there_is_nothing_is_no_user(nothing: str, tmp_path: Path) -> None:
    guest, nobody = records(
        tmp_path, f"1,1700000000,{nothing},s1,i,view,{nothing}", f"2,1700000000,{nothing},{nothing},i,view,1"
    )
    assert (guest.key, "user_id" in fields(guest), "price" in fields(guest)) == (b"session:s1", False, False)
    assert nobody.key is None
    text = checked(tmp_path)
    assert "1 would be accepted (1 view), 1 rejected" in text
    assert "rejected: 1 no_user" in text


def test_a_missing_item_is_no_item_of_that_name(tmp_path: Path) -> None:
    records(tmp_path, "1,1700000000,ada,,NULL,view,")
    assert "rejected: 1 missing_field" in checked(tmp_path)


def test_a_brand_may_be_called_none_but_not_null(tmp_path: Path) -> None:
    head = "item_id,title,brand,category,available,updated_at,attributes"
    [none, null] = records(tmp_path, "1,Pen,None,,,,", "2,Pen,\\N,NULL,NULL,NULL,NULL", head=head, name="items.csv")
    assert fields(none) == {"item_id": "1", "title": "Pen", "brand": "None"}
    assert fields(null) == {"item_id": "2", "title": "Pen"}
    assert "2 items: 2 would be accepted, 0 rejected" in checked(tmp_path)


def test_a_whole_number_has_no_point_where_a_data_frame_gave_it_one(tmp_path: Path) -> None:
    plain, pointed, text = records(
        tmp_path, "1,1700000000,17850,,i,view,", "2,1700000000,17850.0,,22.0,view,", "3,1700000000,v1.0,,1.05,view,"
    )
    assert (pointed.key, fields(pointed)["item_id"]) == (plain.key, "22")
    assert (text.key, fields(text)["item_id"]) == (b"v1.0", "1.05")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("1,1700000000,ada,,8.41234E+12,view,", "item_id"),
        ("1,1700000000,\"5,41312E+08\",,i,view,", "user_id"),
        ("1,1.7E+09,ada,,i,view,", "ts"),
    ],
)  # fmt: skip
def test_a_number_that_a_spreadsheet_cut_off_is_not_learned(row: str, field: str, tmp_path: Path) -> None:
    [record] = records(tmp_path, row)
    assert record.topic == "quarantine"
    assert f"{field} is a number whose last digits a spreadsheet cut off" in checked(tmp_path)


def test_an_id_of_more_digits_than_a_float_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    row = {
        "event": "Product Viewed",
        "messageId": "m",
        "userId": "u",
        "timestamp": "2023-11-14T22:13:20Z",
        "type": "track",
    }
    lines = orjson.dumps({**row, "properties": {"product_id": 0}}).replace(b":0}", b":123456789012345678901234}")
    path.write_bytes(lines + b"\n")
    assert "rejected: 1 wrong_type" in checked(path)


def test_the_first_line_of_excel_names_the_separator(tmp_path: Path) -> None:
    [record] = records(tmp_path, "ts;user_id;item_id;kind", "1700000000;ada;a|b,c,d;view", head="sep=;")
    assert (record.key, fields(record)["item_id"]) == (b"ada", "a|b,c,d")


def test_a_space_behind_each_separator_belongs_to_no_cell(tmp_path: Path) -> None:
    [record] = records(tmp_path, '1700000000, "ada, b", tea , view', head="ts, user_id, item_id, kind")
    assert record.key == b"ada, b"
    assert record.topic == "views"


def test_objects_on_several_lines_each_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text('{\n "ts": 1\n}\n{\n "ts": 2\n}\n')
    with pytest.raises(HeadraceError, match="holds several JSON values on several lines each; write one a line"):
        open_dataset(path)


def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HeadraceError, match="save it to a file first"):
        open_dataset(tmp_path / "pipe")

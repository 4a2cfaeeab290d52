"""Each rule by which a catalogue row becomes an item."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from app.datasets.field import category_path
from app.datasets.folder import open_dataset
from app.datasets.record import Record
from app.errors import HeadraceError


def read(folder: Path, header: str, *rows: bytes) -> list[Record]:
    path = folder / "items.csv"
    path.write_bytes(header.encode() + b"\n" + b"\n".join(rows))
    return list(open_dataset(path).items())


def item(folder: Path, header: str, row: bytes) -> dict[str, Any]:
    [record] = read(folder, header, row)
    assert record.topic == "items"
    assert record.value is not None
    fields: dict[str, Any] = orjson.loads(record.value)
    return fields


def test_a_row_becomes_an_item_of_the_contract(tmp_path: Path) -> None:
    header = "item_id,title,category,brand,price,description,currency,updated_at,attributes,rank"
    row = b'B1,Pen,Office/Pens,Parker,2.50,"blue, fine",EUR,1590884413,"{""ink"": ""blue""}",17'
    assert item(tmp_path, header, row) == {
        "item_id": "B1",
        "title": "Pen",
        "category": "Office/Pens",
        "brand": "Parker",
        "price": 2.5,
        "description": "blue, fine",
        "currency": "EUR",
        "updated_at": 1590884413,
        "attributes": {"ink": "blue"},
    }


def test_an_item_is_keyed_by_its_id(tmp_path: Path) -> None:
    [record] = read(tmp_path, "item_id,title", "é1,Café".encode())
    assert record.key == "é1".encode()


def test_a_missing_title_stays_missing(tmp_path: Path) -> None:
    assert item(tmp_path, "item_id,title,brand", b"1,,samsung") == {"item_id": "1", "brand": "samsung"}


@pytest.mark.parametrize(
    ("column", "cell", "available"),
    [
        ("availability", "OUT_OF_STOCK", False),
        ("availability", "IN_STOCK", True),
        ("available", "false", False),
        ("available", "1", True),
        ("availability", "PREORDER", True),
        ("available", "https://schema.org/OutOfStock", False),
        ("availability", "perhaps", "perhaps"),
    ],
)
def test_availability_is_a_truth_value_where_it_is_known(
    tmp_path: Path, column: str, cell: str, available: bool | str
) -> None:
    assert item(tmp_path, f"item_id,{column}", f"1,{cell}".encode())["available"] == available


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("Office/Pens", "Office/Pens"),
        ("Office", "Office"),
        ("Apparel > Topwear > Shirts", "Apparel/Topwear/Shirts"),
        ("auto.accessories.player", "auto/accessories/player"),
        ("Pens > Blue | Office", "Pens/Blue"),
        ("Gift Cards. For all.", "Gift Cards. For all."),
        ("St. Ives", "St. Ives"),
    ],
)
def test_categories_become_paths(cell: str, path: str) -> None:
    assert category_path(cell) == path


def test_a_price_that_is_no_number_is_passed_on_as_it_is(tmp_path: Path) -> None:
    assert item(tmp_path, "item_id,price", b'1,"1,250.00"')["price"] == "1,250.00"


def test_attributes_that_are_no_object_are_passed_on_as_they_are(tmp_path: Path) -> None:
    assert item(tmp_path, "item_id,attributes", b"1,[1]")["attributes"] == "[1]"


@pytest.mark.parametrize(
    ("row", "reason"), [(b",Pen", b"missing_field"), (b"1,P\xffn", b"invalid_utf8"), (b'1,"P"n', b"invalid_value")]
)
def test_a_row_that_is_no_item_goes_to_quarantine(tmp_path: Path, row: bytes, reason: bytes) -> None:
    bad, good = read(tmp_path, "item_id,title", row, b"2,Pen")
    assert (bad.topic, bad.value, dict(bad.headers)["reason"]) == ("quarantine", row, reason)
    assert good.topic == "items"


def test_a_title_with_a_bare_comma_moves_no_cell_into_another_column(tmp_path: Path) -> None:
    row = b"lamp-1,Desk lamp, brass,Lumen,Home/Lamps"
    bad, good = read(tmp_path, "item_id,title,brand,category", row, b'lamp-2,"Desk lamp, steel",Lumen,Home/Lamps,,')
    assert (bad.topic, bad.value, dict(bad.headers)["reason"]) == ("quarantine", row, b"invalid_value")
    assert good.value is not None
    assert orjson.loads(good.value) == {
        "item_id": "lamp-2",
        "title": "Desk lamp, steel",
        "brand": "Lumen",
        "category": "Home/Lamps",
    }


def test_a_short_row_goes_to_quarantine_for_its_cells_may_belong_to_other_columns(tmp_path: Path) -> None:
    bad, good = read(tmp_path, "item_id,title,,brand,", b"1,Pen", b"2,Pen,,,")
    assert (bad.topic, bad.value, dict(bad.headers)["reason"]) == ("quarantine", b"1,Pen", b"invalid_value")
    assert good.value == b'{"item_id":"2","title":"Pen"}'


def test_a_catalogue_without_ids_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match="no column item_id"):
        read(tmp_path, "sku,title", b"1,Pen")

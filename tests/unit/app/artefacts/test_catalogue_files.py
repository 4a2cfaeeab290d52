"""Catalogue files are read as shops export them, and refused with advice."""

import gzip
from pathlib import Path

import pytest

from app.artefacts.catalogue_files import catalogue_name, read_entries
from app.errors import HeadraceError
from models.quality.defect import ItemText


def test_csv_and_json_lines_are_read_gzipped_or_not(tmp_path: Path) -> None:
    table = "item_id,title,category,brand,price\n1,Mug,Kitchen,Acme,3.5\n2,Lamp,,,\n"
    lines = (
        '{"item_id": 1, "title": "Mug", "category": "Kitchen", "brand": "Acme", "price": 3.5}\n\n'
        '{"title": "Lamp", "brand": null}\n'
    )
    (tmp_path / "a.csv").write_text(table)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(table.encode()))
    (tmp_path / "c.jsonl").write_text(lines)
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(lines.encode()))

    for name in ("a.csv", "b.csv.gz", "c.jsonl", "d.jsonl.gz"):
        mug, lamp = read_entries(tmp_path / name)
        assert (mug.text, mug.priced) == (ItemText("Mug", "Kitchen", "Acme"), True)
        assert (lamp.text, lamp.priced) == (ItemText("Lamp"), False)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"name,price\nMug,1\n", "no column title"),
        ("a.xlsx", b"title\n", "no catalogue file"),
        ("a.jsonl", b'{"title": "Mug"}\nnope\n', "line 2 is not JSON"),
        ("a.jsonl", b'{"name": "Mug"}\n', "line 1 has no `title`"),
        ("a.csv", b"title\n\xff\xfe\n", "cannot be read"),
        ("a.csv.gz", b"not gzip", "cannot be read"),
    ],
)
def test_an_unusable_file_is_refused_with_advice(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(HeadraceError, match=message) as refused:
        read_entries(tmp_path / name)
    assert "use .csv or .jsonl" in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match=r"nowhere\.csv cannot be read"):
        read_entries(tmp_path / "nowhere.csv")


def test_a_file_called_items_is_named_after_its_folder(tmp_path: Path) -> None:
    assert catalogue_name(tmp_path / "shop" / "items.csv.gz") == "shop"
    assert catalogue_name(tmp_path / "spring.csv") == "spring"


def test_a_folder_means_the_catalogue_in_it(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "items.csv.gz").write_bytes(gzip.compress(b"item_id,title\n1,Blue mug\n"))
    assert [entry.text.title for entry in read_entries(shop)] == ["Blue mug"]
    assert catalogue_name(shop) == "shop"


def test_a_row_with_too_many_cells_is_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = ["1,Desk lamp, brass,Lumen", '2,"Desk lamp, steel",Lumen', "3,Mug", "4,Bowl,Acme,,"]
    (tmp_path / "a.csv").write_text("\n".join(["item_id,title,brand,,", *rows]))
    entries = read_entries(tmp_path / "a.csv")
    assert [entry.text for entry in entries] == [
        ItemText("Desk lamp, steel", brand="Lumen"),
        ItemText("Mug"),
        ItemText("Bowl", brand="Acme"),
    ]
    [line] = [record.getMessage() for record in caplog.records]
    assert "row 1: 4 cells where 3 columns have a name: put quotes around" in line


def test_a_file_of_which_no_row_can_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title\nDesk lamp, brass\nMug, red\n")
    with pytest.raises(HeadraceError, match="none of its 2 rows can be used; row 1: 2 cells"):
        read_entries(tmp_path / "a.csv")

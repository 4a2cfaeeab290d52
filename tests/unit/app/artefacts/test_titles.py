"""Titles are read from the files that shops have."""

import gzip
from pathlib import Path

import pytest

from app.artefacts.titles import read_titles
from app.errors import HeadraceError


def lines(count: int) -> str:
    return "".join(f"Mug number {number}\n" for number in range(count))


def test_titles_of_csv_text_and_folders_are_joined_once_each(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text(lines(250) + "\n  \n")
    (tmp_path / "list.csv").write_text('item_id,title\n1,"Cup, red"\n2,Mug number 3\n3,\n')
    (tmp_path / "shop").mkdir()
    with gzip.open(tmp_path / "shop" / "items.csv.gz", "wt") as file:
        file.write("title,price\nSaucer,1\n")
    found = read_titles([tmp_path / "plain.txt", tmp_path / "list.csv", tmp_path / "shop"])
    assert sorted(found) == sorted({*lines(250).splitlines(), "Cup, red", "Saucer"})


def test_the_order_is_mixed_and_always_the_same(tmp_path: Path) -> None:
    forwards, backwards = tmp_path / "a.txt", tmp_path / "b.txt"
    forwards.write_text(lines(300))
    backwards.write_text("\n".join(reversed(lines(300).splitlines())))
    assert read_titles([forwards]) == read_titles([backwards]) != sorted(read_titles([forwards]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "mug\nmug\ncup\n", "2 different titles are too few"),
        ("a.csv", "item_id,name\n1,mug\n", "has no column title"),
        ("a.csv.gz", "item_id,title\n", "is damaged"),
    ],
)
def test_what_holds_no_titles_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(HeadraceError, match=message):
        read_titles([tmp_path / name])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match=r"gone\.csv does not exist"):
        read_titles([tmp_path / "gone.csv"])


def test_a_row_with_too_many_cells_gives_no_title(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text(lines(250))
    (tmp_path / "list.csv").write_text('item_id,,title\n1,,Desk lamp, brass\n2,,"Desk lamp, steel"\n3\n4,,Bowl,\n')
    found = read_titles([tmp_path / "plain.txt", tmp_path / "list.csv"])
    assert set(found) - set(lines(250).splitlines()) == {"Desk lamp, steel", "Bowl"}

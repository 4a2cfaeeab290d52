"""A file whose first line names no known columns is told what is wrong with it."""

from pathlib import Path

import pytest
from published import SNOWPLOW, snowplow_line

from app.commands.file_options import character
from app.datasets.folder import open_dataset
from app.datasets.mapping import FileMapping
from app.errors import HeadraceError

HEAD = ["ts", "user_id", "item_id", "kind"]
ROWS = [["1700000000", "ada", "tea, green", "view"], ["1700000060", "jon", "cup: white", "order"]]


def write(path: Path, separator: str) -> Path:
    path.write_text("".join(separator.join(row) + "\n" for row in [HEAD, *ROWS]))
    return path


@pytest.mark.parametrize(("separator", "named"), [("^", "'^'"), ("~", "'~'"), ("\x01", "'\\x01'"), ("\x1f", "'\\x1f'")])
def test_a_separator_that_is_not_tried_is_named_as_an_option(separator: str, named: str, tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", separator)
    with pytest.raises(HeadraceError) as error:
        open_dataset(path)
    assert str(error.value).endswith(f"; try --separator {named}")
    mapping = FileMapping(separator=character(named.strip("'")) or "")
    assert [record.key for record in open_dataset(path, mapping).events()] == [b"ada", b"jon"]


def test_a_file_of_one_column_has_no_likely_separator(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("note\nfirst; second\nthird\n")
    with pytest.raises(HeadraceError, match="one column only, 'note'; if its cells are separated by another"):
        open_dataset(path)


@pytest.mark.parametrize("first", ["1,1700000000,u,i,view", "a,2023-11-14,u,i,view", "a,14.11.2023 09:00,u,i,view"])
def test_a_row_in_the_place_of_the_header_is_told(first: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{first}\n{first}\n")
    with pytest.raises(HeadraceError, match="begins with a row, where the names of its columns belong"):
        open_dataset(path)


def test_a_header_below_blank_lines_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n  \n,,,\n" + "ts,user_id,item_id,kind\n1700000000,u,i,view\n,,,\n \n")
    [record] = open_dataset(path).events()
    assert (record.topic, record.row) == ("views", 1)


def test_json_of_snowplow_in_the_quotes_of_a_sheet_is_read(tmp_path: Path) -> None:
    plain, quoted = tmp_path / "plain.tsv", tmp_path / "quoted.tsv"
    plain.write_text("".join(map(snowplow_line, SNOWPLOW)))
    lines = [
        "\t".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if '"' in cell else cell for cell in line.split("\t"))
        for line in map(snowplow_line, SNOWPLOW)
    ]
    quoted.write_text("".join(lines))
    assert [each.value for each in open_dataset(quoted).events()] == [
        each.value for each in open_dataset(plain).events()
    ]


def test_a_line_separator_inside_a_text_ends_no_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    row = '{"event_id":"1","ts":1700000000,"user_id":"Zo\xeb","item_id":"a\x85b","kind":"view"}\n'
    path.write_bytes(row.encode("latin-1"))
    [record] = open_dataset(path, FileMapping(encoding="latin-1")).events()
    assert record.topic == "views"


def test_a_zero_byte_in_a_text_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"ts,user_id,item_id,kind\n1700000000,u,i,view\n1700000000,u,i,vi\0ew\n1700000000,u,i,view\n")
    assert [record.topic for record in open_dataset(path).events()] == ["views", "quarantine", "views"]

"""Which files of a folder are its log."""

from pathlib import Path

import pytest

from app.datasets.folder import open_dataset
from app.errors import HeadraceError

EVENT = "event_id,ts,user_id,item_id,kind\n1,1,u,i,view\n"


def test_a_folder_gives_events_and_items(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENT)
    (tmp_path / "items.jsonl").write_text('{"item_id":"i"}\n')
    dataset = open_dataset(tmp_path)
    assert [record.topic for record in dataset.events()] == ["views"]
    assert [record.topic for record in dataset.items()] == ["items"]


def test_a_log_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENT)
    dataset = open_dataset(tmp_path)
    assert list(dataset.events()) == list(dataset.events())


def test_a_shop_without_a_catalogue_has_no_items(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENT)
    assert list(open_dataset(tmp_path).items()) == []


@pytest.mark.parametrize(("name", "topic"), [("clicks.jsonl", "views"), ("items-new.jsonl", "items")])
def test_a_file_is_a_catalogue_when_its_name_says_so(tmp_path: Path, name: str, topic: str) -> None:
    (tmp_path / name).write_text('{"item_id":"i","kind":"view"}\n')
    dataset = open_dataset(tmp_path / name)
    assert [record.topic for record in (*dataset.items(), *dataset.events())] == [topic]


def test_a_folder_without_a_log_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match=r"holds no events: expected .*\.csv, .*\.jsonl, .*\.gz"):
        open_dataset(tmp_path)


def test_two_files_for_one_thing_are_ambiguous(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENT)
    (tmp_path / "events.jsonl").write_text("{}\n")
    with pytest.raises(HeadraceError, match=r"both events\.csv and events\.jsonl"):
        open_dataset(tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match="nowhere does not exist"):
        open_dataset(tmp_path / "nowhere")


def test_a_file_of_another_program_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(b"PK\x03\x04and so on")
    with pytest.raises(HeadraceError, match=r"events\.csv is a ZIP archive or an Excel sheet; unzip it"):
        open_dataset(tmp_path / "events.csv")

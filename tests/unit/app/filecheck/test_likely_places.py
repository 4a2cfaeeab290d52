"""Hints for nested JSON name the value inside the object, and whoever obeys them arrives."""

import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.commands.file_options import add_file_options, mapping_of
from app.datasets.folder import open_dataset
from app.errors import HeadraceError
from app.filecheck.count import CheckedSource, check_log
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0
OWN = {"event_id": "1", "ts": 1_700_000_000, "user_id": "u", "item_id": "i", "kind": "view"}


def checked(path: Path, options: str = "") -> CheckedSource:
    parser = ArgumentParser()
    add_file_options(parser)
    mapping = mapping_of(parser.parse_args(shlex.split(options)))
    [source] = check_log(open_dataset(path, mapping), EventSettings(), NOW, None).sources
    return source


def written(folder: Path, row: dict[str, Any], *, without: str = "") -> Path:
    path = folder / "log.jsonl"
    own = {name: value for name, value in OWN.items() if name not in without.split()}
    path.write_bytes(orjson.dumps(own | row) + b"\n")
    return path


def ways(source: CheckedSource) -> list[str]:
    return [each.way_out for each in source.complaints]


def test_obeying_all_hints_on_nested_events_makes_them_readable(tmp_path: Path) -> None:
    row = {"user": {"id": "u1"}, "item": {"sku": "p1"}, "at": "2023-11-14T22:13:20Z", "action": "view"}
    path = written(tmp_path, row, without=" ".join(OWN))
    unread = checked(path).unread
    assert unread == {"user_id": "user.id", "item_id": "item.sku", "ts": "at", "kind": "action"}
    mended = checked(path, " ".join(f"--map {field}={place}" for field, place in unread.items()))
    assert (mended.accepted.total(), mended.unread, mended.complaints) == (1, {}, [])


def test_an_object_that_was_named_for_an_id_leads_to_the_id_inside(tmp_path: Path) -> None:
    path = written(tmp_path, {"user": {"name": "Mira", "id": "u1"}}, without="user_id")
    assert ways(checked(path)) == ["try --map user_id=user.id"]
    assert ways(checked(path, "--map user_id=user")) == ["try --map user_id=user.id"]
    assert ways(checked(path, "--map user_id=user.nothing")) == ["try --map user_id=user.id"]
    mended = checked(path, "--map user_id=user.id")
    assert (mended.accepted.total(), mended.unread) == (1, {})


def test_an_item_that_was_named_as_an_object_leads_to_the_id_inside(tmp_path: Path) -> None:
    path = written(tmp_path, {"product": {"name": "Pen", "sku": "p1"}}, without="item_id")
    assert ways(checked(path, "--map item_id=product")) == ["try --map item_id=product.sku"]


def test_an_object_without_a_likely_id_is_not_proposed(tmp_path: Path) -> None:
    path = written(tmp_path, {"user": {"shoe_size": 41}}, without="user_id")
    assert checked(path).unread == {}
    [way] = ways(checked(path, "--map user_id=user"))
    assert way == "name the text inside the object that is the id: --map user_id=user.NAME"


def test_a_list_for_an_id_is_not_answered_with_the_option_that_named_it(tmp_path: Path) -> None:
    path = written(tmp_path, {"product": ["p1", "p2"]}, without="item_id")
    [way] = ways(checked(path, "--map item_id=product"))
    assert "--map" not in way


def test_a_fraction_for_an_id_is_translated_as_the_hint_says(tmp_path: Path) -> None:
    path = written(tmp_path, {"item_id": 7.5})
    assert ways(checked(path)) == ["ids are text: try --map item_id=item_id, which translates them"]
    assert checked(path, "--map item_id=item_id").accepted.total() == 1


def test_missing_ids_are_told_to_be_made_once_the_times_are_found(tmp_path: Path) -> None:
    path = written(tmp_path, {"at": 1_700_000_000}, without="event_id ts")
    assert ways(checked(path)) == ["ids are made once the other fields are found: try --map ts=at"]
    assert checked(path, "--map ts=at").accepted.total() == 1
    strange = written(tmp_path, {"zeit": 1_700_000_000}, without="event_id ts")
    assert ways(checked(strange)) == ["ids are made once the other fields are found: try --map ts=COLUMN"]


def test_a_table_with_foreign_headers_is_told_of_every_field_that_has_to_be_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Kunde;Artikel;Zeitpunkt;Vorgang\nk1;a1;2023-11-14T22:13:20Z;view\n")
    with pytest.raises(HeadraceError) as caught:
        checked(path)
    for field in ("ts", "item_id", "user_id", "kind"):
        assert f"--map {field}=COLUMN" in str(caught.value)
    assert "--kind order" in str(caught.value)
    named = "--map user_id=Kunde --map item_id=Artikel --map ts=Zeitpunkt --map kind=Vorgang"
    assert checked(path, named).accepted.total() == 1

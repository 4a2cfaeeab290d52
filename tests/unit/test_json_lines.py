"""JSON lines go through untouched; only topic and key are read."""

import gzip
from pathlib import Path

import pytest

from app.datasets.json_lines import json_events, json_items
from app.datasets.record import Record


def events(folder: Path, content: bytes) -> list[Record]:
    path = folder / "events.jsonl"
    path.write_bytes(content)
    return list(json_events(path))


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        (b'{"kind":"order"}', "orders"),
        (b'{"kind":"cart"}', "clicks"),
        (b'{"kind":"rating","rating":5}', "orders"),
        (b'{"kind":"rating","rating":2.5}', "views"),
        (b'{"item_id":"a"}', "views"),
        (b"{broken", "views"),
        (b"[1]", "views"),
        (b'{"a":"\xff"}', "views"),
        (b'{"kind":"poke"}', "quarantine"),
        (b'{"kind":null}', "quarantine"),
        (b'{"kind":"rating"}', "quarantine"),
    ],
)
def test_each_line_goes_to_a_topic_with_its_bytes(tmp_path: Path, line: bytes, topic: str) -> None:
    [record] = events(tmp_path, line + b"\n")
    assert (record.topic, record.value) == (topic, line)


def test_key_and_time_are_read_from_the_line(tmp_path: Path) -> None:
    user, guest, nobody = events(
        tmp_path,
        b'{"user_id":"u1","session_id":"s1","ts":"2020-06-01T02:00:00+02:00"}\r\n'
        b'{"session_id":"s1","ts":5}\n\n'
        b'{"user_id":7}',
    )
    assert (user.key, user.ts) == (b"u1", 1590969600.0)
    assert (guest.key, guest.ts) == (b"session:s1", 5.0)
    assert (nobody.key, nobody.ts) == (None, None)


def test_an_unknown_kind_names_file_and_line(tmp_path: Path) -> None:
    record = events(tmp_path, b'{"kind":"view"}\n{"kind":"poke"}\n')[1]
    headers = dict(record.headers)
    assert (headers["source-topic"], headers["source-offset"]) == (b"events.jsonl", b"2")
    assert headers["reason"] == b"unknown_kind"


def test_items_are_keyed_by_their_id_and_the_rest_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"item_id":"a", "title":"Pen"}\n{"title":"Pen"}\nnonsense\n'))
    item, unnamed, broken = json_items(path)
    assert (item.topic, item.key, item.value) == ("items", b"a", b'{"item_id":"a", "title":"Pen"}')
    assert (unnamed.topic, unnamed.value) == ("quarantine", b'{"title":"Pen"}')
    assert (broken.topic, broken.value) == ("quarantine", b"nonsense")

"""JSON lines are not changed; only topic and key are read."""

import gzip
from pathlib import Path

import pytest

from app.datasets.folder import open_dataset
from app.datasets.record import Record


def events(folder: Path, content: bytes) -> list[Record]:
    path = folder / "events.jsonl"
    path.write_bytes(content)
    return list(open_dataset(path).events())


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        (b'{"kind":"order"}', "orders"),
        (b'{"kind":"cart"}', "carts"),
        (b'{"kind":"rating","rating":5}', "orders"),
        (b'{"kind":"rating","rating":2.5}', "views"),
        (b"{broken", "quarantine"),
        (b"[1]", "quarantine"),
        (b'{"a":"\xff"}', "quarantine"),
        (b'{"kind":"poke"}', "quarantine"),
        (b'{"kind":null}', "quarantine"),
        (b'{"item_id":"a"}', "quarantine"),
        (b'{"kind":"rating"}', "quarantine"),
    ],
)
def test_each_line_goes_to_a_topic_with_its_bytes(tmp_path: Path, line: bytes, topic: str) -> None:
    record, _ = events(tmp_path, line + b'\n{"kind":"view"}\n')
    assert (record.topic, record.value) == (topic, line)


def test_key_and_time_are_read_from_the_line(tmp_path: Path) -> None:
    user, guest, nobody = events(
        tmp_path,
        b'{"kind":"view","user_id":"u1","session_id":"s1","ts":"2020-06-01T02:00:00+02:00"}\r\n'
        b'{"kind":"view","session_id":"s1","ts":5}\n\n'
        b'{"kind":"view","user_id":7}',
    )
    assert (user.key, user.ts) == (b"u1", 1590969600.0)
    assert (guest.key, guest.ts) == (b"session:s1", 5.0)
    assert (nobody.key, nobody.ts) == (None, None)


def test_a_line_without_kind_says_so(tmp_path: Path) -> None:
    [record] = events(tmp_path, b'{"item_id":"a"}\n')
    headers = dict(record.headers)
    assert headers["reason"] == b"unknown_kind"
    assert headers["detail"].startswith(b"kind is missing")


def test_a_byte_order_mark_belongs_to_no_event(tmp_path: Path) -> None:
    mark, line = b"\xef\xbb\xbf", b'{"kind":"click"}'
    first, second = events(tmp_path, mark + line + b"\n" + line + b"\n")
    assert (first.topic, first.value) == ("clicks", line)
    assert first._replace(row=2) == second
    assert events(tmp_path, mark + b"\n") == []


def test_an_unknown_kind_names_file_and_line(tmp_path: Path) -> None:
    record = events(tmp_path, b'{"kind":"view"}\n{"kind":"poke"}\n')[1]
    headers = dict(record.headers)
    assert (headers["source-topic"], headers["source-offset"]) == (b"events.jsonl", b"2")
    assert headers["reason"] == b"unknown_kind"


def test_items_are_keyed_by_their_id(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"item_id":"a", "title":"Pen"}\n'))
    [item] = open_dataset(path).items()
    assert (item.topic, item.key, item.value) == ("items", b"a", b'{"item_id":"a", "title":"Pen"}')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"title":"Pen"}', "missing_field"),
        (b'{"item_id":null}', "missing_field"),
        (b'{"item_id":""}', "empty_id"),
        (b'{"item_id":7}', "wrong_type"),
        (b'{"item_id":"a"', "malformed_json"),
        (b'{"item_id":"\xff"}', "invalid_utf8"),
        (b'["a"]', "not_an_object"),
    ],
)
def test_an_item_without_an_id_is_kept_aside_with_its_reason(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(line + b'\n{"item_id":"b"}')
    bad, good = open_dataset(path).items()
    assert (bad.topic, bad.value, dict(bad.headers)["reason"]) == ("quarantine", line, reason.encode())
    assert good.topic == "items"

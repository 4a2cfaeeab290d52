"""Requests to forget users, and the records that say that one is forgotten."""

from dataclasses import replace

import pytest
from builders import NOW, batch, decided

from models.contract.events import RawBatch
from models.contract.forgetting import (
    Copied,
    ForgetRequest,
    decode_requests,
    forgotten_headers,
    forgotten_sessions,
    forgotten_user,
    mentions,
    without_forgotten,
)


def requests(**values: bytes | None) -> RawBatch:
    return replace(batch(*values.values(), topic="forget"), keys=[key.encode() for key in values])


def test_a_request_comes_back_as_it_was_written() -> None:
    asked = [ForgetRequest("é商", "7", rewrite=True), ForgetRequest("u2")]
    assert decode_requests(requests(**{each.user_id: each.value() for each in asked})) == asked


@pytest.mark.parametrize("value", [None, b"", b"please", b"[]", b'{"request_id":7,"rewrite":"yes"}', b"\xff"])
def test_the_key_alone_is_a_request(value: bytes | None) -> None:
    assert decode_requests(requests(u1=value)) == [ForgetRequest("u1")]


def test_a_record_without_a_user_id_is_no_request() -> None:
    found = batch(*[b"{}"] * 4, topic="forget")
    found.keys[:] = [None, b"", b"\xff\xfe", b"x" * 200]
    assert decode_requests(found) == []


def log() -> RawBatch:
    """Two users, one of whom is forgotten at offset 12 and comes again."""
    found = batch(decided(0), decided(1, user_id="u2"), None, decided(2), None, first=10)
    keys: list[bytes | None] = [b"u1", b"u2", b"u1", b"u1", b"u2"]
    return replace(found, keys=keys, headers=[(), [("by", b"x")], forgotten_headers([2**64 - 1, 3]), (), ()])


def test_a_record_says_who_is_forgotten_and_which_sessions_were_the_users() -> None:
    assert [forgotten_user(log(), row) for row in range(5)] == ["", "", "u1", "", ""]
    assert [forgotten_sessions(log(), row).tolist() for row in range(5)] == [[], [], [3, 2**64 - 1], [], []]
    assert forgotten_user(batch(None), 0) == ""


def test_a_log_is_copied_without_the_forgotten_and_without_their_ids() -> None:
    values, time = log().values, round(NOW * 1000)
    assert without_forgotten(log(), {"u1": 12}) == [
        Copied(b"u2", values[1], [("by", b"x")], time),
        Copied(None, None, forgotten_headers([2**64 - 1, 3]), time),
        Copied(b"u1", values[3], [], time),
        Copied(b"u2", None, [], time),
    ]
    assert [each.value for each in without_forgotten(log(), {})] == values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("u/é".encode(), None),
        (None, b'{"user_id": "u/\xc3\xa9"'),
        (None, b'{"user_id": "u\\/\\u00e9"}'),
        (b"s", b'["u/\xc3\xa9"]'),
    ],
)
def test_a_record_mentions_a_user_by_its_key_or_in_its_value_however_broken(
    key: bytes | None, value: bytes | None
) -> None:
    assert mentions("u/é", key, value)
    assert not mentions("u", key, value)


def test_a_guest_is_mentioned_by_the_session() -> None:
    assert mentions("session:s1", None, b'{"session_id":"s1"}')
    assert mentions("session:s1", b"session:s1", None)
    assert not mentions("session:s1", b"s10", b'{"session_id":"s10"}')

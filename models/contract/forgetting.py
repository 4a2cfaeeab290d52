"""Requests to forget a user, and the record of `interactions` that says that one is forgotten.

That record has the user id as key, no value, and the hashes of the user's sessions in a header, so
that every worker drops them from its index. A record that is copied when the log is rewritten has
no key any more.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from models.contract.events import GUEST_PREFIX, RawBatch
from models.contract.fields import MAX_ID_LENGTH

SESSIONS = "forgotten-sessions"
Headers = list[tuple[str, bytes]]


class Copied(NamedTuple):
    """A record that is appended again; `time` in milliseconds since 1970."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    time: int


class ForgetRequest(NamedTuple):
    """One user to forget.

    `request_id` names the receipt, empty for none; `rewrite` asks for the log without the user.
    """

    user_id: str
    request_id: str = ""
    rewrite: bool = False

    def value(self) -> bytes:
        """The value of the request's record; its key is the user id."""
        return orjson.dumps({"request_id": self.request_id, "rewrite": self.rewrite})


def decode_requests(batch: RawBatch) -> list[ForgetRequest]:
    """The requests in records of the topic `forget`. Records without a user id are passed over.

    The value may be anything: the key says who is meant.
    """
    found = []
    for key, value in zip(batch.keys, batch.values, strict=True):
        user = _text(key)
        if 0 < len(user) <= MAX_ID_LENGTH + len(GUEST_PREFIX):
            said = _fields(value)
            request_id, rewrite = said.get("request_id"), said.get("rewrite")
            found.append(ForgetRequest(user, request_id if isinstance(request_id, str) else "", rewrite is True))
    return found


def forgotten_headers(sessions: Iterable[int]) -> Headers:
    """The headers of the record that says that a user is forgotten; sessions by their hashes."""
    return [(SESSIONS, np.array(sorted(sessions), "<u8").tobytes())]


def is_forgotten(batch: RawBatch, row: int) -> bool:
    """Whether this record says that a user is forgotten."""
    return batch.values[row] is None and row < len(batch.headers) and SESSIONS in dict(batch.headers[row])


def forgotten_user(batch: RawBatch, row: int) -> str:
    """The user whom this record says is forgotten; empty where it says nothing of that kind."""
    return _text(batch.keys[row]) if is_forgotten(batch, row) else ""


def forgotten_sessions(batch: RawBatch, row: int) -> NDArray[np.uint64]:
    """The hashes of the sessions that this record says are forgotten, shape (n,)."""
    packed = dict(batch.headers[row]).get(SESSIONS, b"") if is_forgotten(batch, row) else b""
    return np.frombuffer(packed[: len(packed) // 8 * 8], "<u8").astype(np.uint64)


def without_forgotten(batch: RawBatch, forgotten: Mapping[str, int]) -> list[Copied]:
    """The records of a log without those of users who are `forgotten`, each up to an offset.

    The record that says so stays, without the user's id.
    """
    kept = []
    for row, (offset, time) in enumerate(zip(batch.offsets.tolist(), batch.times.tolist(), strict=True)):
        key, headers = batch.keys[row], batch.headers[row] if row < len(batch.headers) else ()
        if is_forgotten(batch, row):
            key = None
        elif offset < forgotten.get(_text(key), 0):
            continue
        kept.append(Copied(key, batch.values[row], list(headers), round(time * 1000)))
    return kept


def mentions(user_id: str, key: bytes | None, value: bytes | None) -> bool:
    """Whether a record is about this user, by its key or by a JSON string in its value.

    The value may be broken. A guest is named by the session.

    >>> mentions("u1", b"k", b'{"user_id":"u1"'), mentions("u1", b"k", b'{"user_id":"u11"}')
    (True, False)
    """
    names = {user_id, user_id.removeprefix(GUEST_PREFIX)}
    if _text(key) in names:
        return True
    written = (value or b"").replace(b"\\/", b"/")
    return any(form in written for name in names for form in (orjson.dumps(name), json.dumps(name).encode()))


def _fields(value: bytes | None) -> dict[str, object]:
    try:
        said = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(key: bytes | None) -> str:
    try:
        return (key or b"").decode()
    except UnicodeDecodeError:
        return ""

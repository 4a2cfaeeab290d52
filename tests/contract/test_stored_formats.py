"""Of each kind of stored data the previous version is read, and a newer one is refused in words."""

import struct
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import orjson
import pytest
from snapshot_files import in_format

from app.store.formats import RedisFormats
from app.store.keys import Keys
from app.store.packed import PackedRedis
from app.worker.snapshot import MAGIC, Snapshot, UnusableSnapshot, read_snapshot, write_snapshot
from headrace.errors import UnreadableAnswer
from headrace.lists import decode_list
from models.contract.events import Kind, RawBatch
from models.contract.formats import (
    FORMATS,
    HEADER,
    IN_REDIS,
    INTERACTIONS,
    LIST,
    MANIFEST,
    MOVED,
    PROFILE,
    SNAPSHOT,
    VECTORS,
    Format,
    NewerFormat,
    check_said,
    check_version,
)
from models.contract.moved import Moved, by_origin
from models.contract.wire import decode_log
from models.inference.manifest import ManifestError, parse_manifest
from models.profile import Seen
from models.quality.assessment import Assessment, decode_assessment, encode_headers
from models.users.stored import decode_profile

INTERACTION = {
    "event_id": "e", "user_id": "u", "item_id": "i", "kind": "view", "ts": 1.0, "session_id": "s",
    "source": "views-0", "offset": 3,
}  # fmt: skip
A_LIST = {"user_id": "u", "items": [], "event_ts": 1.0, "generated_at": 2.0, "model": "vmis-knn"}
RECENT = b'[["pan",1.0,"view"]]'
MOVE = Moved(0, "u", "views", 1, "log", 7, 1.0, b"{}")


@pytest.fixture
async def formats(redis_url: str) -> AsyncIterator[RedisFormats]:
    async with PackedRedis.from_url(redis_url) as connected:
        yield RedisFormats(connected, Keys(f"test-{uuid4().hex}:"))


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_a_newer_version_is_refused_with_what_to_do(kind: Format) -> None:
    check_version(kind, kind.version)
    with pytest.raises(NewerFormat) as refused:
        check_version(kind, kind.version + 1)
    message = str(refused.value)
    assert message.startswith(f"{kind.name} are stored in format {kind.version + 1}")
    assert f"reads up to {kind.version}" in message
    assert "Run that version, or a newer one" in message
    assert kind.remedy in message


def test_of_a_redis_without_versions_everything_is_read() -> None:
    for kind in IN_REDIS:
        assert kind.oldest <= 1 <= kind.version


async def test_redis_without_versions_gets_those_that_are_written(formats: RedisFormats) -> None:
    await formats.keep()
    found = await formats.redis.hgetall(formats.keys.formats())
    assert found == {each.name.encode(): b"%d" % each.version for each in IN_REDIS}


@pytest.mark.parametrize("kind", IN_REDIS, ids=lambda kind: kind.name)
async def test_redis_that_a_newer_version_wrote_is_refused_and_left_alone(formats: RedisFormats, kind: Format) -> None:
    await formats.redis.hset(formats.keys.formats(), kind.name, kind.version + 1)
    with pytest.raises(NewerFormat, match=f"{kind.name} are stored in format {kind.version + 1}"):
        await formats.check()
    with pytest.raises(NewerFormat):
        await formats.keep()
    found = await formats.redis.hgetall(formats.keys.formats())
    assert found == {kind.name.encode(): b"%d" % (kind.version + 1)}


async def test_redis_of_an_older_version_is_read_and_noted_as_the_present_one(formats: RedisFormats) -> None:
    await formats.redis.hset(formats.keys.formats(), PROFILE.name, PROFILE.oldest)
    await formats.keep()
    assert int(await formats.redis.hget(formats.keys.formats(), PROFILE.name) or 0) == PROFILE.version


def test_a_profile_of_the_version_without_carts_is_read() -> None:
    # version, flags for a view and an order, their time and counts, no sources, no bought items
    state = struct.pack("<BB3dBB", 1, 0b1010, 1.0, 2.0, 0.5, 0, 0)
    profile = decode_profile("u", {"recent": RECENT, "state": state})
    assert profile is not None
    assert dict(zip(Kind, profile.counts, strict=True)) == {
        Kind.VIEW: 2.0,
        Kind.CLICK: 0.0,
        Kind.CART: 0.0,
        Kind.ORDER: 0.5,
    }


def test_a_profile_of_the_first_release_is_read() -> None:
    stored = {"recent": RECENT, "bought": b"[]", "counts": b'{"view":1,"click":0,"order":0,"at":1.0}', "offsets": b"{}"}
    profile = decode_profile("u", stored)
    assert profile is not None
    assert profile.recent == (Seen(1.0, int(Kind.VIEW), "pan"),)


def test_a_profile_of_the_previous_version_without_cancelled_orders_is_read() -> None:
    # version, flags for a view and an order, their time and counts, no sources, no bought items
    state = struct.pack("<BB3dBB", PROFILE.version - 1, 0b10010, 1.0, 2.0, 0.5, 0, 0)
    profile = decode_profile("u", {"recent": RECENT, "state": state})
    assert profile is not None
    assert (profile.counts[Kind.ORDER], profile.cancelled) == (0.5, ())


def test_a_profile_of_a_newer_version_is_refused() -> None:
    with pytest.raises(NewerFormat, match=f"profiles are stored in format {PROFILE.version + 1}"):
        decode_profile("u", {"recent": RECENT, "state": bytes([PROFILE.version + 1, 0])})


@pytest.mark.parametrize("said", [{}, {HEADER: LIST.version}])
def test_a_list_is_read(said: dict[str, int]) -> None:
    assert decode_list(orjson.dumps(A_LIST | said)).user_id == "u"


def test_a_list_of_a_newer_version_is_refused() -> None:
    with pytest.raises(UnreadableAnswer, match="lists are stored in format 2"):
        decode_list(orjson.dumps(A_LIST | {HEADER: LIST.version + 1}))


@pytest.mark.parametrize("said", [{}, {HEADER: INTERACTIONS.version}, {HEADER: 2, "kind": "cart"}])
def test_an_interaction_is_read(said: dict[str, object]) -> None:
    [found] = decode_log([orjson.dumps(INTERACTION | said)])
    assert found is not None
    assert found.offset == 3


@pytest.mark.parametrize("beside", [[], [None], [b"{"]])
def test_an_interaction_of_a_newer_version_is_refused(beside: list[bytes | None]) -> None:
    with pytest.raises(NewerFormat, match=f"interactions are stored in format {INTERACTIONS.version + 1}"):
        decode_log([*beside, orjson.dumps(INTERACTION | {HEADER: INTERACTIONS.version + 1})])


def _batch(headers: list[tuple[str, bytes]]) -> RawBatch:
    return RawBatch("moved", 0, np.zeros(1, np.int64), np.zeros(1), [b"u"], [b"{}"], headers=[headers])


def _as_version(headers: list[tuple[str, bytes]], version: int | None) -> list[tuple[str, bytes]]:
    said = [] if version is None else [(HEADER, b"%d" % version)]
    return [each for each in headers if each[0] != HEADER] + said


@pytest.mark.parametrize("version", [None, MOVED.version])
def test_a_moved_event_is_read(version: int | None) -> None:
    [part], rejected = by_origin(_batch(_as_version(MOVE.headers(), version)), ["views"])
    assert (part.topic, part.offsets.tolist(), rejected) == ("views", [7], [])


@pytest.mark.parametrize("said", [b"", b"x", b"-1", b"9" * 5_000])
def test_a_header_that_is_no_version_says_nothing(said: bytes) -> None:
    check_said(MOVED, said)


def test_a_moved_event_of_a_newer_version_is_refused() -> None:
    with pytest.raises(NewerFormat, match="moved events are stored in format 2"):
        by_origin(_batch(_as_version(MOVE.headers(), MOVED.version + 1)), ["views"])


@pytest.mark.parametrize("version", [None, VECTORS.version])
def test_a_vector_is_read(version: int | None) -> None:
    assessment = Assessment(text_hash="0" * 16, embedding="m", vector=b"ab")
    assert decode_assessment(b"ab", dict(_as_version(encode_headers(assessment), version))) == assessment


def test_a_vector_of_a_newer_version_is_refused() -> None:
    headers = encode_headers(Assessment(text_hash="0" * 16))
    with pytest.raises(NewerFormat, match="vectors are stored in format 2"):
        decode_assessment(b"", dict(_as_version(headers, VECTORS.version + 1)))


@pytest.mark.parametrize(("step", "words"), [(1, "a newer version of Headrace"), (-3, "another version of Headrace")])
def test_a_snapshot_of_another_version_is_ignored_in_words(tmp_path: Path, step: int, words: str) -> None:
    path = tmp_path / "s"
    write_snapshot(path, Snapshot({}, {}))
    said = MAGIC + b" %d " % SNAPSHOT.version
    assert path.read_bytes().startswith(said)
    path.write_bytes(path.read_bytes().replace(said, MAGIC + b" %d " % (SNAPSHOT.version + step), 1))
    with pytest.raises(UnusableSnapshot, match=words):
        read_snapshot(path)


def test_a_snapshot_of_the_previous_version_is_read(tmp_path: Path) -> None:
    path, counts = tmp_path / "s", np.arange(3.0)
    write_snapshot(path, Snapshot({"saved_at": 1.0}, {"counts": counts}))
    path.write_bytes(in_format(path.read_bytes(), SNAPSHOT.oldest))
    found = read_snapshot(path)
    assert (found.format, found.facts, found.arrays["counts"].tolist()) == (8, {"saved_at": 1.0}, [0, 1, 2])


def test_a_manifest_of_a_newer_version_is_refused() -> None:
    for version in range(MANIFEST.oldest, MANIFEST.version + 1):
        assert parse_manifest(orjson.dumps({"version": version, "models": []}).decode()).models == ()
    with pytest.raises(ManifestError, match="run the version of Headrace that wrote it"):
        parse_manifest(orjson.dumps({"version": MANIFEST.version + 1, "models": []}).decode())

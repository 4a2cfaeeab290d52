"""The file of a snapshot is whole, or it is refused."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snapshot_files import in_format

from app.worker.snapshot import FORMAT, OLDEST_FORMAT, Snapshot, UnusableSnapshot, read_snapshot, write_snapshot

SNAPSHOT = Snapshot(
    {"saved_at": 1.5, "marks": [["items", 0, 3, "f00"]]},
    {"numbers": np.array([1, 2, 3], np.int32), "none": np.zeros(0), "hashes": np.array([2**64 - 1], np.uint64)},
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "a.snapshot"
    write_snapshot(path, SNAPSHOT)
    return path.read_bytes()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "a.snapshot"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.snapshot"
    size = write_snapshot(path, SNAPSHOT)
    found = read_snapshot(path)
    assert size == path.stat().st_size
    assert found.facts == SNAPSHOT.facts
    assert {name: (column.dtype, column.tolist()) for name, column in found.arrays.items()} == {
        name: (column.dtype, column.tolist()) for name, column in SNAPSHOT.arrays.items()
    }


def test_what_is_read_can_be_given_to_compiled_code(tmp_path: Path) -> None:
    path = tmp_path / "a.snapshot"
    write_snapshot(path, SNAPSHOT)
    for column in read_snapshot(path).arrays.values():
        assert column.flags.aligned
        assert column.flags.writeable


@pytest.mark.parametrize("version", range(OLDEST_FORMAT, FORMAT))
def test_a_file_whose_format_became_a_former_one_is_noticed(written: bytes, scratch: Path, version: int) -> None:
    scratch.write_bytes(written.replace(b"snapshot %d " % FORMAT, b"snapshot %d " % version, 1))
    with pytest.raises(UnusableSnapshot, match="damaged"):
        read_snapshot(scratch)


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_noticed(written: bytes, scratch: Path, place: int, bit: int) -> None:
    damaged = bytearray(written)
    damaged[place % len(written)] ^= 1 << bit
    scratch.write_bytes(damaged)
    with pytest.raises(UnusableSnapshot):
        read_snapshot(scratch)


@given(length=st.integers(min_value=0))
def test_a_file_that_ends_early_is_noticed(written: bytes, scratch: Path, length: int) -> None:
    scratch.write_bytes(written[: length % len(written)])
    with pytest.raises(UnusableSnapshot):
        read_snapshot(scratch)


@given(content=st.binary(max_size=300))
def test_any_other_file_is_refused(scratch: Path, content: bytes) -> None:
    scratch.write_bytes(content)
    with pytest.raises(UnusableSnapshot, match="not a snapshot"):
        read_snapshot(scratch)


def test_another_format_is_named_as_such(written: bytes, scratch: Path) -> None:
    scratch.write_bytes(written.replace(b"snapshot %d " % FORMAT, b"snapshot 0 ", 1))
    with pytest.raises(UnusableSnapshot, match="another version"):
        read_snapshot(scratch)


def file_of(header: bytes, rest: bytes = b"") -> bytes:
    """A file with the right checksum, whatever it holds."""
    return in_format(b"\n" + header + rest, FORMAT)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{}",
        b"\n",
        b"not JSON\n",
        b"[1]\n",
        b"[" * 100_000 + b"\n",
        b'{"facts":{}}\n',
        b'{"facts":[],"columns":[]}\n',
        b'{"facts":{},"columns":[["a","<i4"]]}\n',
        b'{"facts":{},"columns":[["a","<i4",-1]]}\n',
        b'{"facts":{},"columns":[["a","<i4",3]]}\n',
        b'{"facts":{},"columns":[["a","<i4",1000000000000000000000000000000]]}\n',
        b'{"facts":{},"columns":[["a","<i4",null]]}\n',
        b'{"facts":{},"columns":[["a","|O",1]]}\n',
        b'{"facts":{},"columns":[["a","i4,,",1]]}\n',
        b'{"facts":{},"columns":[["a",null,1]]}\n',
        b'{"facts":{},"columns":[[1,"<i4",1]]}\n',
    ],
)
def test_a_header_that_headrace_does_not_write_is_refused_though_its_checksum_is_right(
    scratch: Path, header: bytes
) -> None:
    scratch.write_bytes(file_of(header, b"12345678"))
    with pytest.raises(UnusableSnapshot, match=r"columns cannot be read|no columns|beyond its end"):
        read_snapshot(scratch)


@given(content=st.binary(max_size=300) | st.binary(max_size=300).map(lambda each: b'{"facts":{},"columns":' + each))
def test_any_content_with_a_right_checksum_is_refused_or_read(scratch: Path, content: bytes) -> None:
    scratch.write_bytes(file_of(content))
    with suppress(UnusableSnapshot):
        read_snapshot(scratch)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float32, float])
def test_all_numbers_of_a_fixed_size_are_read(tmp_path: Path, kind: type) -> None:
    path = tmp_path / "a.snapshot"
    write_snapshot(path, Snapshot({}, {"a": np.ones(3, kind)}))
    assert read_snapshot(path).arrays["a"].tolist() == np.ones(3, kind).tolist()


def test_a_folder_in_its_place_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(UnusableSnapshot, match="cannot be read"):
        read_snapshot(tmp_path)


def test_a_failed_write_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.snapshot"
    write_snapshot(path, SNAPSHOT)
    (tmp_path / "a.snapshot.tmp").mkdir()  # so that no file can be opened there
    with pytest.raises(OSError, match="directory"):
        write_snapshot(path, Snapshot({}, {}))
    assert read_snapshot(path).facts == SNAPSHOT.facts

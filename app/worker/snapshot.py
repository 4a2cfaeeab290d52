"""The file of a snapshot: columns and a few facts, complete and undamaged or not read at all.

A line `headrace-snapshot FORMAT CHECKSUM` (xxh3, 128 bits, of all that follows), a line of JSON with the facts and
each column's name, type and length, then the columns' bytes in that order.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

MAGIC = b"headrace-snapshot"
# One more whenever a column changes its meaning, or a hash that they hold is computed in another way.
FORMAT = 3
LONGEST_FIRST_LINE = 200


class UnusableSnapshot(Exception):
    """A snapshot cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Flat columns by name, and facts that JSON can hold."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def write_snapshot(path: Path, snapshot: Snapshot) -> int:
    """Replace the file in one step, and return its size in bytes; whoever reads it finds the old or the new one whole.

    Raises OSError when it cannot be written; the old one is left as it is then.
    """
    parts = list(_parts(snapshot))
    digest = xxhash.xxh3_128()
    for part in parts:
        digest.update(part)
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(b"%s %d %s\n" % (MAGIC, FORMAT, digest.hexdigest().encode()))
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    temporary.replace(path)
    _sync_folder(path.parent)
    return size


def read_snapshot(path: Path) -> Snapshot:
    """What was written. Raises FileNotFoundError, or UnusableSnapshot for a file that is anything else."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnusableSnapshot(f"it cannot be read: {error}") from error
    start = content.find(b"\n", 0, LONGEST_FIRST_LINE) + 1
    match content[:start].rstrip().split(b" "):
        case [magic, version, _] if magic == MAGIC and version != b"%d" % FORMAT:
            raise UnusableSnapshot("it was written by another version of Headrace")
        case [magic, _, checksum] if magic == MAGIC:
            if xxhash.xxh3_128_hexdigest(memoryview(content)[start:]).encode() != checksum:
                raise UnusableSnapshot("it is damaged: its checksum is wrong")
            return _parse(content, start)
    raise UnusableSnapshot("it is not a snapshot of Headrace")


def _parts(snapshot: Snapshot) -> Iterator[bytes | memoryview]:
    arrays = {name: np.ascontiguousarray(array) for name, array in snapshot.arrays.items()}
    listed = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
    yield orjson.dumps({"facts": snapshot.facts, "columns": listed}) + b"\n"
    for array in arrays.values():
        yield array.data.cast("B") if len(array) else b""


def _parse(content: bytes, start: int) -> Snapshot:
    end = content.index(b"\n", start)
    header = orjson.loads(memoryview(content)[start:end])
    arrays, place = {}, end + 1
    for name, kind, length in header["columns"]:
        # Copied, because what numba compiled wants arrays that are aligned and may be written to.
        arrays[name] = np.frombuffer(content, np.dtype(kind), length, place).copy()
        place += arrays[name].nbytes
    return Snapshot(header["facts"], arrays)


def _sync_folder(folder: Path) -> None:
    # The rename itself must survive a power cut.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Reads and writes the file of a snapshot. A damaged or incomplete file is never used.

The file holds a line `headrace-snapshot FORMAT CHECKSUM` (xxh3, 128 bits, of all that follows, with
the format as its seed), a line of JSON with the facts and each column's name, type and length, and
then the columns' bytes in that order.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import orjson
import xxhash
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.contract.formats import SNAPSHOT

MAGIC = b"headrace-snapshot"
# Its version rises whenever a column changes its meaning, or a hash in a column is computed
# differently.
FORMAT, OLDEST_FORMAT = SNAPSHOT.version, SNAPSHOT.oldest
READABLE = {b"%d" % each: each for each in range(OLDEST_FORMAT, FORMAT + 1)}
# Before it, the checksum said nothing of the format: one damaged bit made 9 a readable 8.
FIRST_SEEDED = 10
LONGEST_FIRST_LINE = 200
COLUMN_TYPE = "^([<>|][biu]1|[<>][iu][248]|[<>]f[248])$"  # numpy's names of numbers of a fixed size


class UnusableSnapshot(Exception):
    """A snapshot cannot be used. The message says why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Flat columns by name, and facts that JSON can hold; `format` is that of the file."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    format: int = FORMAT


class _Header(Struct):
    facts: dict[str, Any]
    columns: list[tuple[str, Annotated[str, Meta(pattern=COLUMN_TYPE)], Annotated[int, Meta(ge=0)]]]


_HEADER = msgspec.json.Decoder(_Header)


def write_snapshot(path: Path, snapshot: Snapshot) -> int:
    """Replace the file in one step. Returns its size in bytes.

    A reader finds either the old or the new file, each complete. Raises OSError when the file
    cannot be written; the old file is then unchanged.
    """
    parts = list(_parts(snapshot))
    digest = new_checksum(FORMAT)
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
    """Read the snapshot in a file.

    Raises FileNotFoundError, or UnusableSnapshot for a file that is damaged or not a snapshot.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnusableSnapshot(f"it cannot be read: {error}") from error
    start = content.find(b"\n", 0, LONGEST_FIRST_LINE) + 1
    match content[:start].rstrip().split(b" "):
        case [magic, version, _] if magic == MAGIC and version not in READABLE:
            other = "a newer" if version.isdigit() and int(version) > FORMAT else "another"
            said, known = version.decode(errors="replace"), f"{OLDEST_FORMAT} to {FORMAT}"
            raise UnusableSnapshot(f"{other} version of Headrace wrote it, in format {said}; this one reads {known}")
        case [magic, version, checksum] if magic == MAGIC:
            digest = new_checksum(READABLE[version])
            digest.update(memoryview(content)[start:])
            if digest.hexdigest().encode() != checksum:
                raise UnusableSnapshot("it is damaged: its checksum is wrong")
            return _parse(content, start, READABLE[version])
    raise UnusableSnapshot("it is not a snapshot of Headrace")


def new_checksum(version: int) -> xxhash.xxh3_128:
    """Begin the checksum of a file in that format: update it with what follows the first line."""
    return xxhash.xxh3_128(seed=version if version >= FIRST_SEEDED else 0)


def _parts(snapshot: Snapshot) -> Iterator[bytes | memoryview]:
    arrays = {name: np.ascontiguousarray(array) for name, array in snapshot.arrays.items()}
    listed = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
    yield orjson.dumps({"facts": snapshot.facts, "columns": listed}) + b"\n"
    for array in arrays.values():
        yield array.data.cast("B") if len(array) else b""


def _parse(content: bytes, start: int, version: int) -> Snapshot:
    end = content.find(b"\n", start)
    if end < 0:
        raise UnusableSnapshot("it has no columns")
    try:
        header = _HEADER.decode(memoryview(content)[start:end])
    except (ValueError, RecursionError) as error:
        raise UnusableSnapshot(f"its list of columns cannot be read: {error}") from error
    arrays, place = {}, end + 1
    for name, kind, length in header.columns:
        if place + length * np.dtype(kind).itemsize > len(content):
            raise UnusableSnapshot(f"its column {name!r} goes beyond its end")
        # Copied, because compiled code needs arrays that are aligned and writable.
        arrays[name] = np.frombuffer(content, np.dtype(kind), length, place).copy()
        place += arrays[name].nbytes
    return Snapshot(header.facts, arrays, version)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself durable: it must survive a power cut.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

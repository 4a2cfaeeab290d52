"""Opens a file of a log, unpacked if its first bytes are those of gzip or Zstandard."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from app.errors import HeadraceError

BUFFER_BYTES = 1 << 18
GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
PACKED_ENDINGS = {".gz": GZIP, ".zst": ZSTANDARD, ".zstd": ZSTANDARD}
# What begins like this is a file of another program, with the way to one that can be read.
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel sheet; unzip it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel sheet; save it as CSV",
    b"BZh": "packed with bzip2; pack it with gzip or zstd instead",
    b"\xfd7zXZ": "packed with xz; pack it with gzip or zstd instead",
    b"Obj\x01": "an Avro file; write it as Parquet or JSON lines",
    b"ORC": "an ORC file; write it as Parquet or JSON lines",
    b"<?xml": "XML; export the feed as CSV, TSV or JSON lines",
    b"<rss": "XML; export the feed as CSV, TSV or JSON lines",
}
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked. Its errors become HeadraceError."""
    try:
        with _open(path) as file, io.BufferedReader(cast(io.RawIOBase, file), BUFFER_BYTES) as lines:
            yield cast(BinaryIO, lines)
    except FileNotFoundError as error:
        raise HeadraceError(f"{path} does not exist") from error
    except DAMAGED as error:
        raise HeadraceError(f"{path} is damaged or cut off ({error}); fetch or compress it again") from error
    except OSError as error:
        raise HeadraceError(f"{path} cannot be read: {error.strerror or error}") from error


def first_bytes(path: Path, count: int) -> bytes:
    """Return up to `count` bytes from the file's beginning, unpacked.

    Raises HeadraceError when the file cannot be read.
    """
    with reading(path) as file:
        return file.read(count)


def packing(path: Path) -> str:
    """Return how the file is packed: `gzip`, `zstd`, or an empty text.

    Raises HeadraceError when it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return ""
    return "gzip" if start.startswith(GZIP) else "zstd" if start.startswith(ZSTANDARD) else ""


def foreign(start: bytes) -> str:
    """Return what a file with these first bytes is, if it can never be read; else an empty text."""
    return next((what for mark, what in FOREIGN.items() if start.startswith(mark)), "")


def _open(path: Path) -> BinaryIO:
    file = path.open("rb")
    start = file.read(4)
    file.seek(0)
    if start.startswith(GZIP):
        return cast(BinaryIO, _Closing(gzip.GzipFile(fileobj=file), file))
    if start.startswith(ZSTANDARD):
        return cast(BinaryIO, _Unpacked(file))
    if start and path.suffix in PACKED_ENDINGS:
        file.close()
        raise gzip.BadGzipFile(f"it is not packed, in spite of its name {path.suffix}")
    return cast(BinaryIO, file)


class _Closing(io.RawIOBase):
    """Reads from an unpacker, and closes the packed file with it."""

    def __init__(self, unpacked: gzip.GzipFile, packed: BinaryIO) -> None:
        self._unpacked = unpacked
        self._packed = packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int | None:
        read: int | None = self._unpacked.readinto(buffer)  # type: ignore[arg-type]  # a writable buffer
        return read

    def close(self) -> None:
        self._packed.close()
        super().close()


class _Unpacked(io.RawIOBase):
    """Unpacks Zstandard, of one frame or several. A frame that is cut off raises EOFError."""

    def __init__(self, packed: BinaryIO) -> None:
        import zstandard  # few logs are packed so

        self._packed = packed
        self._make = zstandard.ZstdDecompressor().decompressobj
        self._error = zstandard.ZstdError
        self._frame = self._make()
        self._rest = b""
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # a writable buffer
        while not self._ready and self._more():
            pass
        count = min(len(view), len(self._ready))
        view[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def _more(self) -> bool:
        """Unpack the next piece. Returns False at the end of the file."""
        piece = self._rest or self._packed.read(BUFFER_BYTES)
        if not piece:
            if not self._frame.eof:
                raise EOFError("a frame has no end")
            return False
        if self._frame.eof:
            self._frame = self._make()
        try:
            self._ready = self._frame.decompress(piece)
        except self._error as error:
            raise EOFError(str(error)) from error
        self._rest = self._frame.unused_data
        return True

    def close(self) -> None:
        self._packed.close()
        super().close()

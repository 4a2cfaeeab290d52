"""Reads the lines of a file, and holds no line in memory that is too long for any record."""

from collections.abc import Iterator
from typing import BinaryIO, TextIO

# More than any record has: a broker takes 1 MB if nobody changed it.
LONGEST_LINE = 1 << 24
KEPT = 1 << 10
TOO_LONG = f"a line of more than {LONGEST_LINE:,} bytes; only its beginning is kept"
TOO_LONG_ROW = f"a line of more than {LONGEST_LINE:,} characters, which no record can hold: shorten it, or leave it out"
LINE_ENDS = ("\n", "\r")


class LongLine(bytes):
    """The beginning of a line that is too long. It is no JSON, whatever the line was."""


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; of one that is too long, a LongLine."""
    while line := file.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        beginning = line[:KEPT]
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        yield LongLine(beginning + b"\0")


def bounded_text(file: TextIO, too_long: str) -> Iterator[str]:
    """Yield the lines of a text; `too_long` in the place of one that is too long."""
    while line := file.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(LINE_ENDS):
            yield line
            continue
        while line and not line.endswith(LINE_ENDS):
            line = file.readline(LONGEST_LINE)
        yield too_long

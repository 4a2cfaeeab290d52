"""Tells how the text of a file is encoded: UTF-8, UTF-16, or the 8 bits of western Europe.

A single row that is not UTF-8 does not change the encoding of a UTF-8 file: such a row is
quarantined. A file is read as 8-bit only if no line with other than ASCII letters is UTF-8.
"""

import codecs
import re

from app.errors import HeadraceError

ASCII = bytes(range(128))
MANY_ZEROS = 3  # among the first 64 bytes; one or two are a mistake in a text
WESTERN = "cp1252"  # a superset of latin-1 in all that people write
# The bytes that western shops use: letters with accents, quotes, dashes, currencies and units. FE
# and FF are left out: they are in no word, but in files that are no text.
WESTERN_BYTES = bytes(
    {
        *range(0xC0, 0xFE), 0x80, 0x84, 0x85, 0x8A, 0x8C, 0x8E, *range(0x91, 0x98), 0x99, 0x9A, 0x9C, 0x9E, 0xA0, 0xA1,
        0xA3, 0xA5, 0xA7, 0xA9, 0xAB, 0xAE, 0xB0, 0xB2, 0xB3, 0xB5, 0xB7, *range(0xBB, 0xC0),
    }
)  # fmt: skip
# Three such letters in a row are a word of another alphabet.
OTHER_ALPHABET = re.compile(rb"[\xc0-\xff]{3}")
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def encoding_of(start: bytes, path: object) -> str:
    """Return Python's name of the encoding of a text that begins with these bytes.

    Raises HeadraceError for UTF-32, and for a file that is no text.
    """
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise HeadraceError(f"{path} is UTF-32; save it as UTF-8")
    if start[:2] in UTF_16:
        return UTF_16[start[:2]]
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start[:64].count(0) >= MANY_ZEROS:
        return _wide(start, path)
    return "utf-8" if _may_be_utf8(start) else _eight_bit(start)


def _wide(start: bytes, path: object) -> str:
    encoding = "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
    text = start[: len(start) // 2 * 2].decode(encoding, "replace")
    # the last letter may be cut off; one that is no letter before it is in no text
    if "\0" in text or "\ufffd" in text[:-1]:
        raise HeadraceError(f"{path} is no text; a log is CSV, JSON lines, a JSON array or Parquet")
    return encoding


def checked(encoding: str) -> str:
    """Return Python's name of an encoding. Raises HeadraceError when Python does not know it."""
    try:
        b"a".decode(encoding, "replace")  # Python also has codecs that are none of text
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError) as error:
        raise HeadraceError(f"{encoding!r} is no encoding that Python knows; such as utf-8 or cp1252") from error


def _may_be_utf8(start: bytes) -> bool:
    lines = _foreign_lines(start)
    return not lines or any(map(_is_utf8, lines))


def _eight_bit(start: bytes) -> str:
    text = b"\n".join(_foreign_lines(start))
    is_western = not OTHER_ALPHABET.search(text) and not text.translate(None, WESTERN_BYTES + ASCII)
    # Other encodings are not guessed: a wrong guess reads without a fault. The rows are quarantined
    # as not UTF-8, and the user names the encoding.
    return WESTERN if is_western else "utf-8"


def _foreign_lines(start: bytes) -> list[bytes]:
    """Return the whole lines that hold more than ASCII; the last one may be cut off."""
    lines = start.splitlines()
    return [line for line in (lines[:-1] if len(lines) > 1 else lines) if not line.isascii()]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True

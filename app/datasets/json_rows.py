"""Reads JSON objects: one a line, the elements of an array, or a list inside one object."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import orjson

from app.datasets.lines import TOO_LONG, LongLine, bounded_lines
from app.datasets.opened import reading
from app.datasets.record import Portion, Row
from app.datasets.rows import LINES_AT_ONCE
from app.errors import HeadraceError
from models.contract.outcome import Reason

LARGEST_ARRAY = 1 << 30
DEEPEST = 3  # points in a path
MOST_PARTS = 3  # of an object around a list
ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
LONG_LINE = 1 << 16  # no event or item has as many bytes


def begins_as_lines(start: bytes) -> bool:
    """Return whether a file that begins with these bytes holds one JSON value a line.

    Otherwise it is one value: an array, or an object on several lines.
    """
    lines = [line for line in start.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    if not lines:
        return True
    first = _value(lines[0])
    if isinstance(first, dict):
        return len(lines) > 1 or not _rows_inside(first)
    if first is not None:
        return len(lines) > 1
    # one object on one line that is longer than what was read of it
    if len(lines) == 1 and len(start) >= LONG_LINE and lines[0].lstrip().startswith(b"{"):
        return False
    # `[` or `{` alone, or with what belongs to it on the next lines; anything else is a broken line
    return not (lines[0].strip() in (b"[", b"{") or lines[0].lstrip().startswith(b"[") or _continues(lines))


def paths_inside(fields: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Yield the paths of plain values inside objects, as in `user.id`, at most four deep."""
    for name, value in fields.items():
        if isinstance(value, dict) and within.count(".") < DEEPEST:
            yield from paths_inside(value, f"{within}{name}.")
        elif within and isinstance(value, str | int | float):
            yield f"{within}{name}"


def json_array(path: Path, encoding: str) -> Iterator[Row]:
    """Yield the elements of an array, or of the one list of objects in an object, as lines.

    Numbers count elements from 1. Raises HeadraceError when the file is not JSON, or larger than
    1 GiB.
    """
    with reading(path) as file:
        content = file.read(LARGEST_ARRAY)
        if file.read(1):
            raise HeadraceError(f"{path} is a JSON array of more than 1 GiB; write it as JSON lines: jq -c '.[]'")
    if not encoding.startswith("utf-8"):
        content = content.decode(encoding, "replace").encode()
    try:
        elements = _elements(content.removeprefix(BOM_UTF8))
        for number, element in enumerate(elements, start=1):
            yield Row(path.name, number, orjson.dumps(orjson.loads(bytes(element))))
    except (msgspec.DecodeError, orjson.JSONDecodeError) as error:
        raise HeadraceError(f"{path} {_what_is_wrong(error)}") from None


def json_portions(path: Path, parsed: Callable[[Row], Row]) -> Iterator[Portion]:
    """Yield the lines of a file in UTF-8 by the thousand, without blank ones.

    `parsed` reads the object in a line.
    """
    number = 0
    with reading(path) as file:
        bounded = bounded_lines(file)
        while lines := list(islice(bounded, LINES_AT_ONCE)):
            if number == 0:
                lines[0] = lines[0].removeprefix(BOM_UTF8)
            numbered = [(at, line) for at, line in enumerate(lines, number + 1) if line and not line.isspace()]
            number += len(lines)
            yield _lines_portion(path.name, parsed, [at for at, _ in numbered], [line for _, line in numbered])


def _lines_portion(name: str, parsed: Callable[[Row], Row], numbers: list[int], lines: list[bytes]) -> Portion:
    def row(at: int) -> Row:
        if type(lines[at]) is LongLine:
            return Row(name, numbers[at], bytes(lines[at]), None, (Reason.TOO_LARGE, TOO_LONG))
        return parsed(Row(name, numbers[at], lines[at].removesuffix(b"\n").removesuffix(b"\r")))

    return Portion(numbers, row, [], {}, lines, [])


def _what_is_wrong(error: Exception) -> str:
    if "trailing characters" in str(error):
        return "holds several JSON values on several lines each; write one a line: jq -c ."
    return f"is one JSON array or object that is not complete: {error}; write it again"


def _elements(content: bytes) -> list[msgspec.Raw]:
    """Return the bytes of the elements. Objects are not made of all of them at once: they would
    take many times the memory of the file.
    """
    start = content[:LONG_LINE].lstrip()[:1]
    if start != b"{":
        return ARRAY.decode(content) if start == b"[" else [msgspec.Raw(content)]
    parts = OBJECT.decode(content)
    starts = {name: bytes(memoryview(raw)[:1]) for name, raw in parts.items()}
    lists = [parts[name] for name, start in starts.items() if start == b"["]
    is_wrapper = len(lists) == 1 and b"{" not in starts.values() and _may_wrap(parts)
    rows = ARRAY.decode(lists[0]) if is_wrapper else []
    return rows if rows and bytes(memoryview(rows[0])[:1]) == b"{" else [msgspec.Raw(content)]


def _may_wrap(value: Mapping[str, Any]) -> bool:
    return len(value) <= MOST_PARTS and not {"session", "event", "item_id"} & value.keys()


def _rows_inside(value: dict[str, Any]) -> list[Any]:
    """Return the list of an object that holds nothing else, such as `{"orders": [...]}`."""
    lists = [each for each in value.values() if isinstance(each, list)]
    plain = all(isinstance(each, list | str | int | None) for each in value.values())
    is_wrapper = len(lists) == 1 and plain and _may_wrap(value)
    return lists[0] if is_wrapper and lists[0] and isinstance(lists[0][0], dict) else []


def _continues(lines: list[bytes]) -> bool:
    """Return whether the object of the first line goes on over the next ones."""
    return len(lines) > 1 and lines[0].lstrip().startswith(b"{") and not lines[1].lstrip().startswith(b"{")


def _value(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None

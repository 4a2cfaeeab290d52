"""The options of all commands that read a log from files."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

from app.datasets.mapping import NO_MAPPING, FileMapping, load_mapping
from app.datasets.moments import AUTO, UNITS
from app.datasets.shapes.known import FORMATS

ESCAPE = re.compile(r"\\(t|x[0-9a-fA-F]{2})")

FILES = """\
A log is one file, or a folder with files events and items (such as events.csv.gz and items.jsonl); in a folder
without them, every file with a known shape is read. Files are CSV with any separator and encoding, JSON lines, a
JSON array, or Parquet (extra `parquet`), each also packed with gzip or zstd. `headrace check` tells what is read."""


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say how files are to be read."""
    group = parser.add_argument_group("how the files are written (the files themselves tell most of it)")
    group.add_argument("--format", choices=(AUTO, *FORMATS), help=f"shape of the files (default: {AUTO}, by columns)")
    group.add_argument(
        "--map",
        metavar="FIELD=COLUMN",
        type=_pair,
        action="append",
        default=[],
        help="the column of a field, a.b for one inside an object; FIELD= for none",
    )
    group.add_argument(
        "--kind",
        metavar="[WORD=]KIND",
        type=_kind,
        action="append",
        default=[],
        help="what a word means: view, click, cart, order, fav, rating, or skip; without a word: of all rows",
    )
    group.add_argument("--time-unit", choices=(AUTO, *UNITS), help="unit of times that are numbers")
    group.add_argument("--time-zone", metavar="ZONE", help="of times without one, such as Europe/Berlin or UTC")
    group.add_argument("--time-format", metavar="FORMAT", help="of times in text, such as '%%d.%%m.%%Y %%H:%%M'")
    group.add_argument("--decimal", choices=(".", ","), help="decimal mark of prices and quantities")
    group.add_argument(
        "--separator", metavar="C", help="what separates the cells of CSV; \\t for a tab, \\x01 for a control character"
    )
    group.add_argument("--encoding", metavar="NAME", help="encoding of the text, such as cp1252")
    group.add_argument("--mapping", metavar="FILE", type=Path, help="read these options from a file; others add to it")


def add_anyway(parser: argparse.ArgumentParser) -> None:
    """Declare the option that sends a log in spite of its first look."""
    parser.add_argument("--anyway", action="store_true", help="send the log even if most of its rows will be rejected")


def mapping_of(args: argparse.Namespace) -> FileMapping:
    """Return what the options say. Raises HeadraceError for a file of `--mapping` that is none."""
    base = load_mapping(args.mapping) if args.mapping else NO_MAPPING
    said = {
        "format": args.format,
        "time_unit": args.time_unit,
        "time_zone": args.time_zone,
        "time_format": args.time_format,
        "decimal": args.decimal,
        "separator": character(args.separator),
        "encoding": args.encoding,
    }
    kinds = {word: kind for word, kind in args.kind if word}
    every = [kind for word, kind in args.kind if not word]
    return replace(
        base,
        **{name: text for name, text in said.items() if text},
        columns={**base.columns, **dict(args.map)},
        kinds={**base.kinds, **kinds},
        kind=every[-1] if every else base.kind,
    )


def character(text: str | None) -> str | None:
    """Return the character for which an escape such as `\\x01` stands; any other text unchanged."""
    return text.encode().decode("unicode_escape") if text and ESCAPE.fullmatch(text) else text


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not (field and equals):
        raise argparse.ArgumentTypeError(f"{text!r}: write FIELD=COLUMN, such as item_id=sku")
    return field.strip(), column.strip()


def _kind(text: str) -> tuple[str, str]:
    word, _, kind = text.rpartition("=")
    return word, kind.strip()

"""`headrace check`: tells what would become of a log, without any server."""

import argparse
import sys
import time
from pathlib import Path

import orjson

from app.commands.file_options import FILES, add_file_options, mapping_of
from app.datasets.folder import open_dataset
from app.errors import HeadraceError
from app.filecheck.count import IN_COLUMNS, QUICKLY, ROW_BY_ROW, check_log
from app.filecheck.shown import as_object, as_text
from app.settings import Settings

REJECTED = 1

DESCRIPTION = f"""\
Read a log as `run` and `replay` read it, with the worker's own checks, and send nothing. Tells what each file was
recognised as, how many rows would be accepted, and for the others three rows of each reason and what to do: an
option that makes them readable, or what to write instead. The exit status is 1 when nothing would be accepted, or
more than half would be rejected.

{FILES}"""

EXAMPLES = """\
examples:
  headrace check shop/                                  what is in the folder
  headrace check 2019-Oct.csv.gz --rows all --json      the whole file; the result as JSON
  headrace check log.csv --time-unit ms --kind bought=order --map item_id=sku
  headrace check log.csv --map user_id=client --time-zone Europe/Berlin --save-mapping shop.toml
  headrace run --data log.csv --mapping shop.toml       what was saved is used"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.add_argument("path", metavar="PATH", type=Path, help="folder or file of the log")
    parser.add_argument(
        "--rows",
        metavar="N|all",
        type=_rows,
        default=QUICKLY,
        help=f"how many rows of each file are read (default: {IN_COLUMNS:,}, of nested objects {ROW_BY_ROW:,})",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    parser.add_argument("--save-mapping", metavar="FILE", type=Path, help="write the options to a file for --mapping")
    add_file_options(parser)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Check the log. The exit status is 0 when most of its rows would be accepted."""
    mapping = mapping_of(args)
    dataset = open_dataset(args.path, mapping)
    log = check_log(dataset, settings.events, time.time(), args.rows)
    sys.stdout.write(orjson.dumps(as_object(log)).decode() + "\n" if args.json else as_text(log))
    if args.save_mapping:
        _save(args.save_mapping, mapping.saved())
    if log.fault:
        sys.stderr.write(f"headrace: {log.fault}\n")
    return REJECTED if log.fault else 0


def _rows(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number above 0, or all")
    return int(text)


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HeadraceError(f"{path} cannot be written: {error.strerror or error}") from error

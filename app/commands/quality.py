"""`headrace quality`: takes stock of a shop's data."""

import argparse
import sys
import time
from pathlib import Path

import orjson

from app.commands.file_options import FILES, add_file_options, mapping_of
from app.datasets.folder import open_dataset
from app.errors import HeadraceError
from app.guard.pseudonyms import Pseudonyms
from app.inventory.page import as_page
from app.inventory.stock import stock_of
from app.progress_line import ProgressLine
from app.settings import Settings

ROWS = 100_000

DESCRIPTION = f"""\
Read a log as `run` and `replay` read it, send nothing, and write one page of HTML that opens without a network: for
each topic and field how complete it is and what it holds, what would be rejected and why, what is repaired in texts,
the worst and the hidden items, and listings of one product. Ids of users are left out or stand as pseudonyms. Without
models no item is judged; up to 5,000 are judged, and 20,000 compared.

{FILES}"""

EXAMPLES = """\
examples:
  headrace quality report shop/                             writes quality.html
  headrace quality report log.csv.gz --rows all --out log.html
  headrace quality report shop/ --json | jq '.topics[].fields[] | {name, completeness}'"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb, its arguments and examples."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    summary = "write a page on the quality of a log"
    report = what.add_parser("report", help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
    report.description = DESCRIPTION
    report.epilog = EXAMPLES
    report.add_argument("path", metavar="PATH", type=Path, help="folder or file of the log")
    report.add_argument("--rows", metavar="N|all", type=_rows, default=ROWS, help=f"of each file (default {ROWS:,})")
    report.add_argument("--out", metavar="FILE", type=Path, default=Path("quality.html"), help="the page to write")
    report.add_argument("--json", action="store_true", help="print one JSON object, and write no page")
    add_file_options(report)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Write the report. The exit status is 0 when that was possible."""
    dataset = open_dataset(args.path, mapping_of(args))
    line = ProgressLine(sys.stderr)
    named = Pseudonyms.of_settings(settings.log).of
    try:
        stock = stock_of(dataset, settings, time.time(), args.rows, named, line.show)
    finally:
        line.close()
    if args.json:
        sys.stdout.write(orjson.dumps(stock).decode() + "\n")
        return 0
    try:
        args.out.write_text(as_page(stock), encoding="utf-8")
    except OSError as error:
        raise HeadraceError(f"{args.out} cannot be written: {error.strerror or error}") from error
    sys.stdout.write(f"{args.out}: {stock['rows']:,} rows, {stock['rejected_rows']:,} would be rejected\n")
    return 0


def _rows(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number above 0, or all")
    return int(text)

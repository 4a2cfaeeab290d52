"""Declares arguments and prints output that the verbs of `headrace models` share."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from app.artefacts.titles import read_titles
from app.datasets.sample import sample_dataset
from app.settings import Settings

WORK = Path("build/models")

EXAMPLES = """
examples:
  headrace models verify                              sums, shapes, and whether they compute right here
  headrace models bench --json                        texts/s against the plain export and PyTorch
  headrace models bench --provider cuda
  headrace models export --items ITEMS                all-MiniLM-L6-v2, int8, into onnx/
  headrace models export --items ITEMS --source ./my-encoder --name my-encoder --licence MIT --variant fp16
ITEMS: CSV files with a column title (also .gz), text files with a title a line, or folders with an items.csv.gz.
  headrace models train-quality --items ITEMS --base ./all-MiniLM-L6-v2 --report quality-report
  headrace models evaluate-quality --data ../shared/data
  headrace models export-judge --items ITEMS          a language model as second judge of doubtful texts
`export`, `train-quality` and `export-judge` need the extra `export`; `make export-setup` installs it into .venv-export.
"""


def add_common(parser: argparse.ArgumentParser) -> None:
    """Declare the folder and the form of the result, and show the examples."""
    parser.epilog = EXAMPLES
    parser.add_argument("--dir", metavar="DIR", type=Path, help="folder of the artefacts (default: HEADRACE_MODEL_DIR)")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def add_items(parser: argparse.ArgumentParser) -> None:
    """Declare the catalogues, and the folder of the exports."""
    parser.add_argument(
        "--items",
        metavar="ITEMS",
        type=Path,
        nargs="+",
        action="extend",
        help="catalogues with titles (default: the sample log's)",
    )
    parser.add_argument(
        "--work", metavar="DIR", type=Path, default=WORK, help=f"where exports are kept (default: {WORK})"
    )


def add_inference(parser: argparse.ArgumentParser) -> None:
    """Declare what the model runs on."""
    parser.add_argument("--provider", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument("--threads", metavar="N", type=positive, default=2, help="CPU threads (default: 2)")


def folder_of(args: argparse.Namespace, settings: Settings) -> Path:
    """Return the folder of the artefacts."""
    folder: Path = args.dir or settings.model.folder
    return folder


def titles_of(args: argparse.Namespace, settings: Settings) -> list[str]:
    """Return the titles of the catalogues, or those of the sample log."""
    if args.items:
        return read_titles(args.items)
    values = [record.value for record in sample_dataset(settings.embedded).items() if record.value]
    return [str(orjson.loads(value)["title"]) for value in values]


def print_result(as_json: bool, result: Mapping[str, Any], text: Callable[[], str]) -> None:
    """Write the result to standard output, as JSON or as text."""
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if as_json else text())


def tell(text: str) -> None:
    """Write a line of progress to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def positive(text: str) -> int:
    """Return a whole number above 0. Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a whole number above 0")

"""`headrace models train-quality`: makes the quality model from catalogue files."""

import argparse
import json
import sys
from pathlib import Path

from app.artefacts.train_quality import train
from app.artefacts.training_plan import TrainingPlan
from app.errors import HeadraceError, install_line
from app.settings import Settings
from models.training.corruptions import CORRUPTIONS

SUMMARY = "make the quality model from catalogue files"
EPILOG = """examples:
  headrace models train-quality --items shop.csv.gz --base all-MiniLM-L6-v2/
  headrace models train-quality --items a.csv --items b.jsonl --base DIR --out onnx --report quality-report
  headrace models train-quality --items a.csv --base DIR --steps 300 --leave-out misread,hash_tags

Needs the extra `export` (torch). The files are CSV or JSON lines, gzipped or not, with the columns title and, where
known, category, brand and price. A tenth of the titles is kept for calibration, another for the report.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--items",
        type=Path,
        action="append",
        nargs="+",
        required=True,
        metavar="FILE",
        help="catalogue files",
    )
    parser.add_argument(
        "--base", type=Path, required=True, help="folder of the BERT-like sentence encoder to start from"
    )
    parser.add_argument("--out", type=Path, default=Path("onnx"), help="folder of the artefacts (default: onnx)")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("quality-report"),
        help="folder of the report (default: quality-report)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=2000,
        help="training steps of 48 titles (default: 2000); 0 calibrates the model in --out again, and rounds its "
        "weights again where processors without VNNI would compute them otherwise",
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of everything drawn (default: 7)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: 2)")
    parser.add_argument(
        "--leave-out",
        default="",
        metavar="NAMES",
        help="corruptions not trained on, to see how unknown ones fare",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Train, measure and export. Prints where the results are."""
    plan = _plan(args)
    try:
        report = train(plan)
    except ModuleNotFoundError as missing:
        raise HeadraceError(f"{missing}; training needs the extra `export`; {install_line('export')}") from missing
    if args.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(f"model in {plan.out}, report in {plan.report}\n")
    return 0


def _plan(args: argparse.Namespace) -> TrainingPlan:
    left_out = frozenset(filter(None, args.leave_out.split(",")))
    if unknown := sorted(left_out - {each.name for each in CORRUPTIONS}):
        raise HeadraceError(
            f"no corruption is called {unknown[0]}; there are {', '.join(each.name for each in CORRUPTIONS)}"
        )
    if not (args.base / "config.json").is_file():
        raise HeadraceError(
            f"{args.base} holds no config.json; give the folder of a sentence encoder such as all-MiniLM-L6-v2"
        )
    if args.steps < 0:
        raise HeadraceError("--steps must not be negative")
    if args.steps == 0 and not (args.out / "manifest.json").is_file():
        raise HeadraceError(f"--steps 0 calibrates the model in {args.out} again, and there is none; train one first")
    items = tuple(path for group in args.items for path in group)
    return TrainingPlan(items, args.base, args.out, args.report, args.steps, args.seed, args.threads, left_out)

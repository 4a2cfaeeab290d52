"""`headrace models evaluate-quality`: measures the shipped quality model on the sample data."""

import argparse
import json
import sys
from pathlib import Path

from app.artefacts.evaluate_quality import evaluate
from app.settings import Settings
from models.quality.judge import open_quality_model

SUMMARY = "measure the quality model against its targets on the sample data"
EPILOG = """examples:
  headrace models evaluate-quality --data ../shared/data
  headrace models evaluate-quality --data ../shared/data --most 200 --json

Exit status 1 when a target is missed.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EPILOG
    parser.add_argument("--data", type=Path, required=True, help="folder of the sample data")
    parser.add_argument(
        "--model-dir", type=Path, default=None, help="folder of the artefacts (default: HEADRACE_MODEL_DIR)"
    )
    parser.add_argument("--most", type=int, default=1500, help="titles of a catalogue, at most (default: 1500)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Measure and print. The exit status is 0 if every target is met."""
    model = open_quality_model(args.model_dir or settings.model.folder)
    targets = evaluate(model, args.data, args.most, settings.quality)
    if args.json:
        rows = [{"name": each.name, "value": each.value, "bound": each.bound, "met": each.met} for each in targets]
        sys.stdout.write(json.dumps({"targets": rows, "met": all(each.met for each in targets)}, indent=2) + "\n")
    else:
        for each in targets:
            sign = ">=" if each.at_least else "<="
            sys.stdout.write(f"{'ok  ' if each.met else 'MISS'} {each.value:.4f} {sign} {each.bound}  {each.name}\n")
    return 0 if all(each.met for each in targets) else 1

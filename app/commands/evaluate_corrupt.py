"""`headrace evaluate --corrupt`: what dirty data costs, and what the quality stage wins back."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from app.datasets.folder import open_dataset
from app.datasets.sample import ITEMS_FILE, sample_dataset, sample_folder
from app.errors import HeadraceError
from app.evaluate.catalogue import ItemRecords, items_in, learn_catalogue
from app.evaluate.corrupt import SEED, DirtyLog, as_json, bounds, plot
from app.evaluate.lister import AUTO
from app.progress_line import ProgressLine
from app.settings import Settings
from models.evaluation.prequential import StreamPlan
from models.faults.events import Fault
from models.faults.titles import TitleDetection, find_title_faults
from models.recommender import Recommender

BATCH = 32
LIMIT = 10_000
# What changes nothing here, as the lists are the formula's, without models: it is refused if given.
UNUSED = {
    "delay": "--delay",
    "save": "--save",
    "compare": "--compare",
    "ranker": "--ranker",
    "learn_from": "--learn-from",
    "vectors": "--vectors",
}

DESCRIPTION = """\
With --corrupt faults with a known truth are put into the log, always the same ones: records cut off, times in
milliseconds, repeats, robots, and so on, in equal shares. Then the log is learned three ways, as it was, with the
faults, and with the faults through the worker's checks; and the same events are predicted each time, those that users
really did, from what their session held. The lists are the formula's. The titles of items get faults of their own.
"""

EXAMPLES = """\
  headrace evaluate shop/ --corrupt 0.1
  headrace evaluate shop/ --corrupt 0.02,0.05,0.1,0.2 --plot dirt.svg
  headrace evaluate shop/ --corrupt 0.1 --faults milliseconds,repeated --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    group = parser.add_argument_group("what dirty data costs")
    group.add_argument(
        "--corrupt", metavar="RATES", type=_rates, help="share of faulty records, above 0 to 1; several with commas"
    )
    names = ", ".join(Fault)
    group.add_argument("--faults", metavar="NAMES", type=_faults, help=f"faults of events (default: all): {names}")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Measure for each rate, and print the figures."""
    if args.sample == (args.folder is not None):
        raise HeadraceError("give the folder of a log, or --sample, and not both")
    unused = next((option for name, option in UNUSED.items() if getattr(args, name) not in (None, AUTO, 1.0)), "")
    if unused:
        raise HeadraceError(f"{unused} does not go together with --corrupt: leave it out")
    dataset = sample_dataset(settings.embedded) if args.sample else open_dataset(args.folder)
    if args.sample:
        catalogue: ItemRecords | None = ItemRecords(sample_folder(settings.embedded) / ITEMS_FILE, dataset.items)
    else:
        catalogue = items_in(args.folder) if args.folder.is_dir() else None
    line = ProgressLine(sys.stderr)
    since = -float("inf") if args.since is None else args.since
    plan = StreamPlan(since=since, batch=args.batch or BATCH, limit=args.limit or LIMIT)
    items = learn_catalogue(catalogue, Recommender(settings.recommender), settings)
    try:
        log = DirtyLog.of(dataset, items, settings, args.faults or list(Fault), plan, line.show)
        untouched, predictions, runs = log.measure(args.corrupt)
    finally:
        line.close()
    result: dict[str, Any] = {
        "log": dataset.name,
        "events": len(log.events),
        "predictions": predictions,
        "untouched": {"hit_rate@20": bounds(untouched)},
        "runs": [
            as_json(untouched, run)
            | {"titles": _titles(find_title_faults(items, run.rate, np.random.default_rng(SEED)))}
            for run in runs
        ],
    }
    if args.plot is not None:
        plot(dataset.name, untouched, runs, args.plot)
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result))
    return 0


def _titles(found: dict[str, TitleDetection]) -> dict[str, Any]:
    return {
        name: {
            "injected": each.injected,
            "found": each.found,
            "precision": round(each.precision, 4),
            "recall": round(each.recall, 4),
            "repair_accuracy": round(each.restored / each.injected, 4) if each.is_repaired else None,
        }
        for name, each in found.items()
        if each.injected
    }


def table(result: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"{result['log']}: {result['events']:,} events, {result['predictions']:,} predictions, hit rate at 20"]
    lines.append(_rate("untouched", result["untouched"]["hit_rate@20"]))
    for run in result["runs"]:
        lines += ["", f"{run['rate']:.1%} faults: {run['records']:,} records"]
        lines.append(_rate("without the stage", run["hit_rate@20"]["without_stage"]))
        lines.append(_rate("with the stage", run["hit_rate@20"]["with_stage"]))
        lines.append(_rate("with a perfect stage", run["hit_rate@20"]["perfect_stage"]))
        won = "nothing was lost" if run["won_back"] is None else f"{run['won_back']:.1%} won back"
        best = run["won_back_of_possible"]
        possible = "" if best is None else f", {best:.1%} of what a perfect stage would win back"
        lines.append(f"{'lost':24}{run['lost']:>9.4f}, {won}{possible}")
        lines.append(f"{'sound records rejected':24}{run['rejected_sound']:>9.4%}")
        lines += ["", f"{'fault':24}{'injected':>9}{'found':>9}{'precision':>11}{'recall':>9}{'repaired':>10}"]
        lines += [_fault(name, each) for name, each in (run["faults"] | run["titles"]).items()]
    return "\n".join(lines) + "\n"


def _rate(name: str, found: dict[str, float]) -> str:
    return f"{name:24}{found['mean']:>9.4f}, from {found['low']:.4f} to {found['high']:.4f}"


def _fault(name: str, each: dict[str, Any]) -> str:
    repaired = each.get("repair_accuracy")
    shown = "" if repaired is None else f"{repaired:.3f}"
    line = (
        f"{name:24}{each['injected']:>9,}{each['found']:>9,}{each['precision']:>11.3f}{each['recall']:>9.3f}{shown:>10}"
    )
    return line.rstrip()


def _rates(text: str) -> Sequence[float]:
    try:
        rates = [float(each) for each in text.split(",")]
    except ValueError:
        rates = []
    if not rates or not all(0 < rate <= 1 for rate in rates):
        raise argparse.ArgumentTypeError(f"{text!r}: use numbers above 0, at most 1, such as 0.02,0.1")
    return rates


def _faults(text: str) -> Sequence[Fault]:
    try:
        return [Fault(each.strip()) for each in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; choose from {', '.join(Fault)}") from None

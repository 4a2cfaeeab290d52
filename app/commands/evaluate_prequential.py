"""`headrace evaluate --protocol prequential`: recommend, score, learn, event by event."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from app.datasets.folder import open_dataset
from app.datasets.sample import ITEMS_FILE, sample_dataset, sample_folder
from app.errors import HeadraceError
from app.evaluate.catalogue import ItemRecords, items_in
from app.evaluate.plot import draw
from app.evaluate.prepared import Preparation
from app.evaluate.prequential import BegunRun, as_json, compare_ranks, run_delays, save_ranks
from app.evaluate.stream import read_stream
from app.progress_line import ProgressLine
from app.settings import Settings
from models.evaluation.prequential import NEVER, StreamPlan

PREQUENTIAL = "prequential"
UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
BATCH = 32

DESCRIPTION = """\
With --protocol prequential every event is predicted from what its session held before it, scored, and then learned, in
time order: figures over time, of cold users and items, by kind and by source, with intervals of 95 % (sessions drawn
again, 1,000 times). Kinds weigh as in the worker. --delay tells what freshness is worth: learning lags by so much,
and with "never" nothing from --from on is learned; what a session holds is never late. Each delay is a run of its own.
"""

EXAMPLES = """\
  headrace evaluate --sample --protocol prequential --limit 20000
  headrace evaluate shop/ --protocol prequential --from 2011-10-01T00:00:00Z --delay 0s,1m,1h,1d,never --plot curve.svg
  headrace evaluate shop/ --protocol prequential --save before.npz
  headrace evaluate shop/ --protocol prequential --compare before.npz --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this protocol."""
    group = parser.add_argument_group(f"with --protocol {PREQUENTIAL}")
    group.add_argument("--sample", action="store_true", help="evaluate on the sample log instead of DIR")
    group.add_argument(
        "--delay",
        metavar="TIMES",
        type=_delays,
        help="by how much learning lags: numbers with s, m, h or d, or never, separated by commas (default 0s)",
    )
    group.add_argument(
        "--batch",
        metavar="N",
        type=_count,
        help=f"events that are predicted before any of them is learned (default {BATCH}; with 1, "
        "which takes longer, each is learned at once)",
    )
    group.add_argument(
        "--limit",
        metavar="N",
        type=_count,
        help="predict about N events at most, those of a sample of the sessions; all events are learned",
    )
    group.add_argument("--plot", metavar="FILE", type=Path, help="draw hit rate over delay and over time, as SVG")
    group.add_argument("--save", metavar="FILE", type=Path, help="keep the first delay's ranks, to compare with")
    group.add_argument(
        "--compare", metavar="FILE", type=Path, help="compare the first delay's hits with kept ones (McNemar's test)"
    )


def options_of(args: argparse.Namespace) -> str:
    """Return the first option of this protocol that was given; empty for none."""
    names = ("sample", "delay", "batch", "limit", "plot", "save", "compare")
    return next((f"--{name}" for name in names if getattr(args, name) not in (None, False)), "")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Evaluate once for each delay, and print the figures."""
    if args.sample == (args.folder is not None):
        raise HeadraceError("give the folder of a log, or --sample, and not both")
    dataset = sample_dataset(settings.embedded) if args.sample else open_dataset(args.folder)
    if args.sample:
        catalogue: ItemRecords | None = ItemRecords(sample_folder(settings.embedded) / ITEMS_FILE, dataset.items)
    else:
        catalogue = items_in(args.folder)
    line, prepared = ProgressLine(sys.stderr), Preparation.of(args, settings, catalogue)

    def begin() -> BegunRun:
        lister = prepared.lister(line.show)
        return BegunRun(lister, read_stream(dataset, lister.recommender.items))

    since = -float("inf") if args.since is None else args.since
    plan = StreamPlan(since=since, batch=args.batch or BATCH, limit=args.limit)
    runs = run_delays(begin, plan, args.delay or [0.0], line.show)
    line.close()
    result: dict[str, Any] = {"log": dataset.name, "runs": [as_json(run) for run in runs]}
    result |= {"models": prepared.models, "left_out": prepared.left_out}
    if args.compare is not None:
        result["compared"] = compare_ranks(runs[0], args.compare)
    if args.save is not None:
        save_ranks(runs[0], args.save)
    if args.plot is not None:
        draw(dataset.name, runs, args.plot)
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result))
    return 0


def table(result: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"{result['log']}, prequential, at 20"]
    lines += [f"left out: {each}" for each in result["left_out"]]
    for run in result["runs"]:
        lines += ["", f"learning lags by {run['delay']}: {run['predictions']:,} predictions, ranker {run['ranker']}"]
        hit, mrr = run["hit_rate@20"], run["mrr@20"]
        lines.append(f"{'':16}{'hit rate':>9}{'MRR':>9}{'events':>10}")
        lines.append(f"{'all':16}{hit['mean']:>9.4f}{mrr['mean']:>9.4f}{run['predictions']:>10,}")
        lines.append(f"{'  from':16}{hit['low']:>9.4f}{mrr['low']:>9.4f}")
        lines.append(f"{'  to':16}{hit['high']:>9.4f}{mrr['high']:>9.4f}")
        parts = [("formula", run["formula"]), ("cold users", run["cold_users"]), ("cold items", run["cold_items"])]
        parts += list(run["kinds"].items())
        parts += [(f"from {each['since']:.0f}", each) for each in run["windows"]]
        lines += [
            f"{name:16}{part['hit_rate@20']:>9.4f}{part['mrr@20']:>9.4f}{part['predictions']:>10,}"
            for name, part in parts
        ]
        lines += [
            f"{'by ' + name:16}{part['hit_rate@20']:>9.4f}  among the {part['found']:.1%} that it found"
            for name, part in run["sources"].items()
        ]
    if "compared" in result:
        lines += ["", *(f"{name:16} {plain(value)}" for name, value in result["compared"].items())]
    return "\n".join(lines) + "\n"


def plain(value: object) -> str:
    """Return a figure for people, without the signs of Python or JSON.

    >>> plain({"mean": 0.25, "low": 0.2, "high": 0.3}), plain({"linear": {"mrr@20": 0.3}})
    ('0.25, from 0.2 to 0.3', 'linear (mrr@20 0.3)')
    """
    match value:
        case {"mean": mean, "low": low, "high": high}:
            return f"{mean}, from {low} to {high}"
        case dict():
            told = (
                (name, f"({plain(each)})" if isinstance(each, dict) else plain(each)) for name, each in value.items()
            )
            return ", ".join(f"{name} {each}" for name, each in told) or "none"
        case list():
            return ", ".join(map(plain, value)) or "none"
        case bool():
            return "yes" if value else "no"
    return "none" if value is None else str(value)


def _delays(text: str) -> Sequence[float]:
    return [_delay(each.strip()) for each in text.split(",")]


def _delay(text: str) -> float:
    if text == "never":
        return NEVER
    try:
        seconds = float(text[:-1]) * UNITS[text[-1:]]
    except (ValueError, KeyError):
        seconds = -1.0
    if not 0 <= seconds < NEVER:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number with s, m, h or d, such as 1h, or never")
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number of 1 or more")
    return int(text)

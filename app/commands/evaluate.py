"""`headrace evaluate`: measures how good lists are, on a log whose future is known."""

import argparse
import math
import sys
from datetime import datetime
from pathlib import Path

import orjson

from app.commands import evaluate_corrupt, evaluate_prequential
from app.commands.evaluate_prequential import PREQUENTIAL, plain
from app.errors import HeadraceError
from app.evaluate.catalogue import items_in
from app.evaluate.evaluation import measure, read_experiment
from app.evaluate.lister import AUTO, CHOICES
from app.evaluate.prepared import Preparation
from app.progress_line import ProgressLine
from app.settings import Settings

SESSION = "session"

DESCRIPTION = """\
Learn the past of a log, then walk the sessions of its future: at every position predict the next item from the
whole catalogue without the current item (repeats_allowed: with it). "formula" has the figures of the worker's lists,
made by the worker's code and settings. Rankers learn from the past as well, and the one that predicted it best makes
the other lists. With --ranker formula only the formula's code runs, the worker's default (HEADRACE_RANKER_MODE).

DIR holds events.csv[.gz] or events.jsonl[.gz] with a column split (train, test), or is split by --from. Events need
item_id, ts and session_id or user_id: without a session_id, a user's session ends after 30 minutes of silence, as in
the worker. All kinds count alike; rows of an unknown kind are left out and named. Or DIR holds train_sessions.txt[.gz]
(a session a line, item ids separated by spaces, oldest line first) and test_cases.txt[.gz] (the items seen so far
separated by spaces, a tab, the next item).

With items.csv[.gz] or items.jsonl[.gz] beside them, the models in HEADRACE_MODEL_DIR read the catalogue first, as in
the worker: items that no user has seen can be listed (cold_hit_rate), and defective ones are not. "left_out" says
what was missing.

"""

EXAMPLES = """\
examples:
  headrace evaluate shop/ --protocol session
  headrace evaluate shop/ --from 2011-10-01T00:00:00Z --json
  headrace evaluate shop/ --from 2011-10-01T00:00:00Z --no-models
  headrace evaluate shop/ --ranker formula
  headrace evaluate shop/ --ranker linear --learn-from 0.25
  HEADRACE_NEIGHBOURS_NEIGHBOURS=288 headrace evaluate shop/
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{DESCRIPTION}{evaluate_prequential.DESCRIPTION}\n{evaluate_corrupt.DESCRIPTION}"
    parser.epilog = EXAMPLES + evaluate_prequential.EXAMPLES + evaluate_corrupt.EXAMPLES
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", help="folder of the log")
    parser.add_argument(
        "--protocol", choices=(SESSION, PREQUENTIAL), default=SESSION, help="how the future is evaluated"
    )
    parser.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        type=read_moment,
        help="sessions that begin at TIME (seconds since 1970, or RFC 3339) or later are the future; "
        "prequential: events from TIME on are predicted (default: all)",
    )
    parser.add_argument(
        "--ranker",
        choices=CHOICES,
        default=AUTO,
        help="what ranks the lists: the formula, as in the worker, or a ranker that learns from the past, linear or "
        "with a hidden layer; auto (the default) takes the one that predicted best while it learned",
    )
    parser.add_argument(
        "--learn-from",
        metavar="SHARE",
        type=_share,
        default=1.0,
        help="share of the events that rankers learn from, above 0 to 1, chosen by a hash (default 1); counts and "
        "neighbours learn from all",
    )
    meaning = parser.add_mutually_exclusive_group()
    meaning.add_argument("--no-models", action="store_true", help="do not let models read the catalogue")
    meaning.add_argument(
        "--vectors",
        metavar="FILE",
        type=Path,
        help="vectors of another model, instead of the models: a NumPy archive with `ids` and `vectors`",
    )
    evaluate_prequential.configure(parser)
    evaluate_corrupt.configure(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Measure, and print the figures."""
    if args.corrupt is not None:
        return evaluate_corrupt.execute(args, settings)
    if args.faults is not None:
        raise HeadraceError("--faults belongs to --corrupt")
    if args.protocol == PREQUENTIAL:
        return evaluate_prequential.execute(args, settings)
    if (unused := evaluate_prequential.options_of(args)) or args.folder is None:
        needs = f"{unused} belongs to --protocol {PREQUENTIAL}" if unused else "give the folder of a log"
        raise HeadraceError(f"the session protocol reads a folder and nothing else: {needs}")
    experiment = read_experiment(args.folder, args.since)
    if not experiment.cases:
        raise HeadraceError(f"{args.folder} has no test session of two items or more: nothing to predict")
    line = ProgressLine(sys.stderr)
    prepared = Preparation.of(args, settings, items_in(args.folder))
    lister = prepared.lister(line.show)
    figures = measure(experiment, lister, line.show).as_json()
    figures |= {"models": prepared.models, "left_out": prepared.left_out}
    line.close()
    sys.stdout.write(orjson.dumps(figures).decode() + "\n" if args.json else _text(figures))
    return 0


def read_moment(text: str) -> float:
    """Read a time of an argument, in seconds since 1970. Raises ArgumentTypeError with advice."""
    try:
        return _finite(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r}: use seconds since 1970, or a time such as 2011-10-01T00:00:00Z")
    return moment.timestamp()


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number above 0, at most 1, such as 0.25")
    return share


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{value} is no time")
    return value


def _text(figures: dict[str, object]) -> str:
    return "".join(f"{name:27} {plain(value)}\n" for name, value in figures.items())

"""`headrace tune`: searches for settings that make better lists on a log."""

import argparse
import math
import re
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from app.commands.evaluate import read_moment
from app.errors import HeadraceError
from app.evaluate.catalogue import items_in
from app.evaluate.evaluation import read_experiment
from app.evaluate.lister import AUTO
from app.evaluate.prepared import Preparation
from app.evaluate.tuning import TunePlan, Tuning
from app.progress_line import ProgressLine
from app.settings import Settings
from models.ranker.judge import FORMULA
from models.ranker.settings import BY_FORMULA

EXIT_INTERRUPTED = 130
SECONDS, LIMIT = 600.0, 2_000
UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0}

DESCRIPTION = """\
Search, by Optuna, for values of the settings that decide which lists are made: how neighbours are chosen and weighted
and, with models, what meaning weighs. Worth is hit rate + MRR at 20 on events of the newest 30 % of the train part,
each predicted before it is learned, with what ranks by HEADRACE_RANKER_MODE. The test part is never read into it: it
is what the column split of DIR says or, with --from, what begins at TIME; `headrace evaluate` tells on it, once, what
the settings found are worth. The present settings are tried first, and nothing is proposed that is worse.

The result are lines for `.env`, with the gain on the same predictions and its interval of 95 %. The best of many
trials is too hopeful by some of it: settings whose interval reaches below 0 are noise. Ctrl-C ends the search and
prints the best so far. Needs the extra tune.

exit status:
  0    done, also if nothing better was found
  1    the log cannot be read, or the package is not installed
  2    a setting or an argument is not allowed
  130  interrupted; what was found until then is printed
"""

EXAMPLES = """\
examples:
  headrace tune shop/ --from 2011-10-01T00:00:00Z
  headrace tune shop/ --time 30m --limit 5000 >> .env
  headrace tune shop/ --no-models --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the log, as for `headrace evaluate`")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        type=read_moment,
        help="sessions that begin at TIME (seconds since 1970, or RFC 3339) or later are the test part",
    )
    parser.add_argument(
        "--time", metavar="TIME", type=_seconds, default=SECONDS, help="how long to search: 90s, 10m, 2h (default 10m)"
    )
    parser.add_argument("--trials", metavar="N", type=_count, help="try at most N settings (default: any number)")
    parser.add_argument(
        "--limit", metavar="N", type=_count, default=LIMIT, help=f"predictions a trial, about (default {LIMIT})"
    )
    parser.add_argument("--seed", metavar="N", type=_count, default=1, help="of the search (default 1)")
    parser.add_argument("--no-models", action="store_true", help="do not let models read the catalogue")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Search, and print the best settings."""
    train = read_experiment(args.folder, args.since).train
    if not train:
        raise HeadraceError(f"{args.folder} has no train part: nothing to tune on")
    ranker = FORMULA if settings.ranker.mode == BY_FORMULA else AUTO
    prepared = Preparation(settings, items_in(args.folder), ranker, 1.0, None, with_models=not args.no_models)
    tuning = Tuning(prepared, train, TunePlan(args.time, args.trials, args.limit, args.seed), time.monotonic)
    line, is_interrupted = ProgressLine(sys.stderr), False
    try:
        tuning.run(line.show)
    except KeyboardInterrupt:
        if not tuning.trials:
            raise
        is_interrupted = True
    finally:
        line.close()
    said = _as_json(tuning, interrupted=is_interrupted) | {"log": str(args.folder), "left_out": prepared.left_out}
    sys.stdout.write(orjson.dumps(said).decode() + "\n" if args.json else _for_people(said))
    return EXIT_INTERRUPTED if is_interrupted else 0


def _as_json(tuning: Tuning, *, interrupted: bool) -> dict[str, Any]:
    first, best = tuning.trials[0], tuning.best
    gained = best.gain_over(first)
    changed = {each.variable: value for each, value in best.values.items() if value != first.values[each]}
    return {
        "trials": len(tuning.trials),
        "interrupted": interrupted,
        "predictions": len(best.ranks),
        "present": {"hit_rate@20": round(first.hit_rate, 4), "mrr@20": round(first.mrr, 4)},
        "best": {"hit_rate@20": round(best.hit_rate, 4), "mrr@20": round(best.mrr, 4)},
        "gain": {name: round(value, 4) if math.isfinite(value) else None for name, value in gained._asdict().items()},
        "settings": changed,
    }


def _for_people(said: dict[str, Any]) -> str:
    present, best, gained = said["present"], said["best"], said["gain"]
    lines = [f"# {said['log']}: {said['trials']} trials of {said['predictions']:,} predictions"]
    lines += [f"# left out: {each}" for each in said["left_out"]]
    lines.append(f"# present settings: hit rate {present['hit_rate@20']}, MRR {present['mrr@20']}")
    if not said["settings"]:
        return "\n".join([*lines, "# none of those tried is better: keep them"]) + "\n"
    lines.append(f"# these:            hit rate {best['hit_rate@20']}, MRR {best['mrr@20']}")
    sure = "" if (gained["low"] or 0) > 0 else ": this may be noise"
    lines.append(f"# hit rate + MRR: +{gained['mean']}, from {gained['low']} to {gained['high']}{sure}")
    lines += [f"{name}={value}" for name, value in said["settings"].items()]
    return "\n".join(lines) + "\n"


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6})([smh])", text, re.ASCII)
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r}: use a number with s, m or h, such as 90s or 10m")
    return int(found[1]) * UNITS[found[2]]


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number of 1 or more")
    return int(text)

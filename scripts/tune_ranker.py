"""Choose the settings of the learned ranker, on parts cut from the train parts of logs.

Of each log's train part the first seven tenths, by time, are learned; over the rest every event is
predicted, measured and then learned. No test part is read. A setting's worth is the mean over logs
of hit rate + MRR at 20 of the ranker with hidden units. Settings are chosen one after the other,
each with the choices before it. `docs/adr/0022-a-ranker-that-learns.md` has what came out.
With --models the installed models read the catalogues first.

    python scripts/tune_ranker.py DIR[,FROM[,NEWEST]] … [--models] [--json]

FROM, in seconds, is where the test part of a log without a column `split` begins; with NEWEST only
so many of the newest events before it are read.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from app.evaluate.catalogue import assess_catalogue, describe_goods, items_in, learn_catalogue
from app.evaluate.evaluation import learn, read_experiment
from app.evaluate.lister import AUTO, Lister
from app.progress_line import ProgressLine
from app.settings import load
from models.evaluation.session_protocol import Visit
from models.ranker.judge import HIDDEN, RANKERS, RankerJudge
from models.ranker.settings import RankerSettings
from models.recommender import Recommender

LEARNED = 0.7  # of a train part, before the part that is measured
FIRST = RankerSettings(half_life_days=30.0, hidden_share=1.0, running_scale=False, by_brand=0, beside=0, like=0)
CHOICES = (
    ("half_life_days", (30.0, 90.0, 365.0)),
    ("running_scale", (False, True)),
    ("hidden_share", (1.0, 0.3, 0.1)),
    ("by_brand", (0, 10)),
    ("beside", (0, 10)),
    ("like", (0, 20)),
    ("rate", (0.05, 0.02, 0.01, 0.1)),
)

Log = tuple[Path, Sequence[Visit]]


def main() -> int:
    """Try one setting after the other, and print a row a trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", metavar="DIR[,FROM[,NEWEST]]", nargs="+", help="logs as `headrace evaluate` takes them")
    parser.add_argument("--models", action="store_true", help="let the installed models read the catalogues")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    args = parser.parse_args()
    logs, line = [read(text) for text in args.logs], ProgressLine(sys.stderr)
    chosen, best = FIRST, -math.inf
    for name, values in CHOICES:
        for value in values:
            change: dict[str, Any] = {name: value}
            tried = replace(chosen, **change)
            if tried == chosen and best > -math.inf:
                continue
            gains = {folder.name: gain(folder, train, tried, line, models=args.models) for folder, train in logs}
            mean = sum(gains.values()) / len(gains)
            row = {"setting": name, "value": value, "mean": round(mean, 4), **gains}
            text = orjson.dumps(row).decode() if args.json else "  ".join(f"{key} {each}" for key, each in row.items())
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
            if mean > best:
                chosen, best = tried, mean
    line.close()
    sys.stdout.write(f"{chosen}\n")
    return 0


def read(text: str) -> Log:
    """The folder and the train part of a log."""
    folder, since, newest = (*text.split(","), "", "")[:3]
    train = read_experiment(Path(folder), float(since) if since else None).train
    return Path(folder), train[-int(newest) :] if newest else train


def gain(folder: Path, train: Sequence[Visit], settings: RankerSettings, line: ProgressLine, *, models: bool) -> float:
    """Hit rate + MRR at 20 over the newest part of `train`."""
    chosen = load(os.environ)
    recommender = Recommender(chosen.recommender)
    if models:
        assessed = assess_catalogue(learn_catalogue(items_in(folder), recommender, chosen), chosen, line.show)
        if assessed is not None:
            assessed.tell(recommender)
    lister = Lister(recommender, AUTO, settings)
    assert lister.ranker is not None
    describe_goods(items_in(folder), recommender, lister.ranker.goods)
    cut = int(LEARNED * len(train))
    for part in (train[:cut], train[cut:]):
        lister.ranker.judge = judge = RankerJudge(window=math.inf)
        for done in learn(part, lister):
            line.show(f"{folder.name}: {done:,} of {len(part):,} events")
    at = RANKERS.index(HIDDEN)
    return round(float(judge.hits[at] + judge.reciprocals[at]), 4)


if __name__ == "__main__":
    sys.exit(main())

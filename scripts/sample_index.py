"""How good lists are when the index holds only a sample of the sessions: `docs/scale.md` has the
figures.

A session is in the sample 1/n when n divides its hash: every worker chooses the same ones, and a
larger sample holds the smaller one. With `--keep newest` it is the newest 1/n of all sessions
instead, by their first event. Popularity and relations follow from the sample too. Models are
left out.

    python scripts/sample_index.py DIR [--from SECONDS] [--every 10] [--parts 1,2,4,8]
        [--keep newest] [--json]
"""

import argparse
import os
import sys
from pathlib import Path

import orjson

from app.evaluate.evaluation import measure, read_experiment
from app.evaluate.lister import Lister
from app.progress_line import ProgressLine
from app.settings import load
from models.evaluation.session_protocol import Experiment, Visit
from models.processor import hash_session
from models.ranker.judge import FORMULA
from models.ranker.settings import RankerSettings
from models.recommender import Recommender


def main() -> int:
    """Measure each sample, and print a row for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of a log, as `headrace evaluate` takes it")
    parser.add_argument("--from", dest="since", metavar="SECONDS", type=float, help="where the test begins")
    parser.add_argument("--every", metavar="N", type=int, default=1, help="predict every Nth case only")
    parser.add_argument("--parts", metavar="N,N,…", default="1,2,4,8,16,32", help="samples: 1/N of the sessions each")
    parser.add_argument("--keep", choices=("hash", "newest"), default="hash", help="which sessions (default: hash)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    args = parser.parse_args()
    whole, line = read_experiment(args.folder, args.since), ProgressLine(sys.stderr)
    for part in (int(each) for each in args.parts.split(",")):
        experiment = Experiment(KEEP[args.keep](whole.train, part), whole.cases[:: args.every])
        recommender = Recommender(load(os.environ).recommender)
        figures = measure(experiment, Lister(recommender, FORMULA, RankerSettings()), line.show).as_json()
        row = {"part": part, "sessions": len(recommender.index), "events": len(experiment.train), **figures}
        shown = {name: row[name] for name in ("part", "sessions", "events", "predictions", "hit_rate@20", "mrr@20")}
        sys.stdout.write(orjson.dumps(row if args.json else shown).decode() + "\n")
        sys.stdout.flush()
    line.close()
    return 0


def by_hash(train: list[Visit], part: int) -> list[Visit]:
    """What happened in one of `part` sessions."""
    return [visit for visit in train if hash_session(visit.session_id) % part == 0]


def newest(train: list[Visit], part: int) -> list[Visit]:
    """What happened in the newest sessions, one of `part`."""
    begun = list(dict.fromkeys(visit.session_id for visit in train))
    kept = set(begun[len(begun) - len(begun) // part :])
    return [visit for visit in train if visit.session_id in kept]


KEEP = {"hash": by_hash, "newest": newest}


if __name__ == "__main__":
    sys.exit(main())

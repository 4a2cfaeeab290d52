"""`headrace bench peers`: Headrace's lists beside those of well-known recommenders."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from app.bench.peers import PeerComparison, run_peers
from app.datasets.folder import open_dataset
from app.datasets.sample import ITEMS_FILE, sample_dataset, sample_folder
from app.evaluate.catalogue import ItemRecords, items_in
from app.evaluate.prepared import Preparation
from app.progress_line import ProgressLine
from app.settings import Settings
from models.ranker.judge import FORMULA

BATCH = 32

DESCRIPTION = """
How often the lists of well-known recommenders, and those of Headrace, have what a user looks at next: the protocol
`headrace evaluate --protocol prequential` for all of them, on the same events. All learn from every event, but for
SLIST, ALS and BPR, which are made again whenever a tenth more events are there, and LambdaRank, which grows trees on
the candidates and features of the learned ranker whenever a quarter more lists are there. These need the extra bench.
Nothing is tuned: each has the constants of its paper, or of the framework that it is known from.
"""

EXAMPLES = """
examples:
  headrace bench peers                              the sample log
  headrace bench peers --data shop/ --limit 5000    about 5,000 predictions
  headrace bench peers --data shop/ --from 1317427200 --no-models --json
"""


def configure(what: Any, positive: Callable[[str], int]) -> None:
    """Declare the measurement among those of `headrace bench`; `positive` reads a number above
    0.
    """
    peers = what.add_parser(
        "peers",
        help="how good lists are, beside those of well-known recommenders",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    peers.add_argument("--data", metavar="DIR", type=Path, help="folder of a log (default: the sample log)")
    peers.add_argument(
        "--from", dest="since", metavar="SECONDS", type=float, help="predict from this time on (default: newest fifth)"
    )
    peers.add_argument("--limit", metavar="N", type=positive, help="predict about N events at most (default: all)")
    peers.add_argument("--no-models", action="store_true", help="do not let models read the catalogue")
    peers.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Measure, and print the figures."""
    if args.data is None:
        dataset = sample_dataset(settings.embedded)
        catalogue: ItemRecords | None = ItemRecords(sample_folder(settings.embedded) / ITEMS_FILE, dataset.items)
    else:
        dataset, catalogue = open_dataset(args.data), items_in(args.data)
    line = ProgressLine(sys.stderr)
    prepared = Preparation(settings, catalogue, FORMULA, 1.0, None, with_models=not args.no_models)
    result = run_peers(PeerComparison(dataset, args.since, args.limit, BATCH), prepared, line.show)
    line.close()
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result))
    return 0


def table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [f"{result['log']}, from {result['since']:.0f}", *(f"left out: {each}" for each in result["left_out"]), ""]
    lines.append(f"{'':30}{'hit rate':>9}{'from':>8}{'to':>8}{'MRR':>8}{'from':>8}{'to':>8}")
    for name, row in result["contenders"].items():
        hit, mrr = row["hit_rate@20"], row["mrr@20"]
        figures = (*hit.values(), *mrr.values())
        lines.append(f"{name:30}{figures[0]:>9.4f}" + "".join(f"{each:>8.4f}" for each in figures[1:]))
    lines.append(f"\n{row['predictions']:,} predictions each, at 20; intervals of 95 % by session")
    return "\n".join(lines) + "\n"

"""`headrace bench core`: where the processor time of the pure core goes."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from app.bench.core import STEPS, run_core
from app.datasets.folder import open_dataset
from app.datasets.sample import sample_dataset
from app.settings import Settings

DESCRIPTION = """
Processor time per event of each step of the pure core: no Kafka, no Redis, no models, one process. The log is put into
batches as a worker would fetch them (HEADRACE_KAFKA_PARTITIONS, HEADRACE_KAFKA_FETCH_MAX_RECORDS).
  admit    decode and check events, leave out duplicates
  find     the users' profiles in memory; none is loaded
  follow   sessions, and the step of all profiles
  learn    neighbours, trending and counts of items
  decide   lists with their JSON, profiles as they are stored, interactions; prediction is a part of it
  predict  that part: the nearest sessions and the items that they vote for, measured by asking once more
"""

EXAMPLES = """
examples:
  headrace bench core                       the sample log, a table
  headrace bench core --data shop/ --json   as one JSON object
"""


def configure(what: Any, positive: Callable[[str], int]) -> None:
    """Declare the measurement among those of `headrace bench`; `positive` reads a number above
    0.
    """
    core = what.add_parser(
        "core",
        help="the pure core by step, without Kafka and Redis",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    core.add_argument("--data", metavar="DIR", type=Path, help="folder or file of a log (default: the sample log)")
    core.add_argument(
        "--events", metavar="N", type=positive, help="cut or repeat the log to N events (default: as it is)"
    )
    core.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Measure, and print the figures."""
    dataset = open_dataset(args.data) if args.data else sample_dataset(settings.embedded)
    result = run_core(dataset, args.events, settings)
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result))
    return 0


def table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    steps = result["microseconds_per_event"]
    lines = [f"{result['log']}: {result['events']:,} events, {result['lists']:,} lists", ""]
    lines += [f"{step:<9}{steps[step]:>8.2f} µs of processor time an event" for step in STEPS]
    lines += [
        "",
        f"{result['microseconds_per_event_in_all']:.2f} µs an event in all. A list takes "
        f"{result['microseconds_per_list_of_prediction']:.1f} µs of prediction and "
        f"{result['microseconds_per_list_beside_prediction']:.1f} µs beside it.",
        f"A stored profile has {result['profile_bytes']:,} bytes, a list {result['list_bytes']:,}; "
        f"a user takes {result['memory_bytes_per_user']:,} bytes of memory.",
    ]
    return "\n".join(lines) + "\n"

"""`headrace bench scale`: how cost and memory grow with users and items, and how fast a worker
starts.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from app.bench.generated import LogSize
from app.bench.scale import ScalePlan, run_scale
from app.bench.scale_part import ScalePart, run_part
from app.bench.start_up import run_start_up
from app.commands.bench_loads import tell
from app.settings import Settings

SIZES = "10000,100000,1000000"
MEBIBYTE = 1 << 20

DESCRIPTION = """
What an event, a user and a start cost in a larger shop, on a GENERATED log: few items with most of the visits, short
sessions, many of them at once, a fashion that changes. It says nothing of accuracy, and its figures are not those of
a real log (`headrace bench core --data`). Users grow while items keep their number, then the other way round. Every
size runs in a process of its own, and has learned the same number of sessions before: as many as the largest number
of users at least. Then come the events that are measured, as in `headrace bench core`: without Kafka, with every user
in memory. The ratio is that of processor time per event to the smallest size in the same run.

  stored     bytes a user of keys, fields and values of profile and list, for 2,000 users drawn by chance,
             and what an embedded Redis says of the same keys (MEMORY USAGE)
  arrays     memory of users, neighbours and counts of items
  resident   by how much the process has grown: arrays, ids, catalogue, and what the measurement keeps
  start      interactions decoded and learned as a starting worker does it, Kafka left out; and a snapshot saved,
             and loaded by a new worker

With the sizes of the default it takes some minutes on an idle machine, and 2 GiB of memory.
"""

EXAMPLES = """
examples:
  headrace bench scale                                   10 thousand to 1 million users, and items; a table
  headrace bench scale --json                            the same as one JSON object
  headrace bench scale --sizes 1000,10000 --sessions 10000 --start-sessions 0    a quick look
  headrace bench scale --sizes 10000,3000000 --start-sessions 3000000            larger; 6 GiB of memory
"""


def configure(what: Any, positive: Callable[[str], int]) -> None:
    """Declare the measurement among those of `headrace bench`; `scale-part` is how it starts itself
    again.
    """
    scale = what.add_parser(
        "scale",
        help="cost, memory and start-up by number of users and items",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scale.add_argument("--sizes", metavar="N,N,…", type=_sizes, default=_sizes(SIZES), help=f"(default: {SIZES})")
    scale.add_argument("--users", metavar="N", type=positive, default=10_000, help="users while items grow (10000)")
    scale.add_argument("--items", metavar="N", type=positive, default=10_000, help="items while users grow (10000)")
    scale.add_argument("--sessions", metavar="N", type=positive, default=1, help="sessions learned before, at least")
    scale.add_argument(
        "--start-sessions", metavar="N", type=_count, default=1_000_000, help="sessions of a start (1000000); 0: none"
    )
    scale.add_argument("--events", metavar="N", type=positive, default=100_000, help="events measured (100000)")
    scale.add_argument("--seed", metavar="N", type=_count, default=1, help="seed of the generated log (1)")
    scale.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    part = what.add_parser("scale-part")
    part.add_argument("name", choices=("size", "start"))
    for name in ("users", "items", "sessions"):
        part.add_argument(f"--{name}", type=positive, required=True)
    part.add_argument("--events", type=positive, default=1)
    part.add_argument("--seed", type=_count, required=True)


def execute(args: argparse.Namespace) -> int:
    """Measure, and print the figures."""
    # A terminated benchmark stops its child as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sessions = max(args.sessions, args.users, *args.sizes)
    plan = ScalePlan(args.sizes, args.users, args.items, sessions, args.start_sessions, args.events, args.seed)
    result = run_scale(plan, os.environ, tell)
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result))
    return 0


def execute_part(args: argparse.Namespace, settings: Settings) -> int:
    """Measure one size, or the start, in this process; prints one JSON object."""
    size = LogSize(args.users, args.items, args.sessions)
    with TemporaryDirectory(prefix="headrace-scale-part-") as name:
        if args.name == "size":
            result = run_part(ScalePart(size, args.events, args.seed), settings, Path(name))
        else:
            result = run_start_up(size, args.seed, settings, Path(name))
    sys.stdout.write(orjson.dumps(result).decode() + "\n")
    return 0


def table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [
        f"A generated log (seed {result['seed']}): {result['sessions']:,} sessions learned before, "
        f"then {result['events']:,} events.",
        "",
        f"{'users':>11}{'items':>11}{'µs an event':>13}{'ratio':>7}{'arrays':>11}{'resident':>11}"
        f"{'profile':>14}{'list':>14}",
    ]
    for axis in ("by_users", "by_items"):
        lines += [_row(part) for part in result[axis]] + [""]
    lines.append("Profile and list: bytes a user as written / as Redis counts them. Arrays and resident in MiB.")
    if start := result.get("start"):
        log, snapshot = start["log"], start["snapshot"]
        lines += [
            f"Start with {start['sessions']:,} sessions ({start['events']:,} events): from the log "
            f"{log['cpu_seconds']:.1f} s of processor time ({log['events_per_cpu_second']:,} events/s; "
            f"{log['seconds']:.1f} s on the clock),",
            f"from a snapshot of {snapshot['bytes'] / MEBIBYTE:,.0f} MiB {snapshot['load']['cpu_seconds']:.1f} s "
            f"({snapshot['load']['seconds']:.1f} s on the clock); saving it took "
            f"{snapshot['save']['cpu_seconds']:.1f} s ({snapshot['save']['seconds']:.1f} s).",
        ]
    return "\n".join(lines) + f"\n{result['cores']} cores.\n"


def _row(part: Mapping[str, Any]) -> str:
    arrays = sum(part["array_bytes"].values()) / MEBIBYTE
    stored = [_bytes(part["stored"][what]) for what in ("profile", "list")]
    return (
        f"{part['users']:>11,}{part['items']:>11,}{part['microseconds_per_event']:>13.2f}{part['ratio']:>7.2f}"
        f"{arrays:>11,.0f}{part['resident_bytes'] / MEBIBYTE:>11,.0f}{stored[0]:>14}{stored[1]:>14}"
    )


def _bytes(stored: Mapping[str, int]) -> str:
    return f"{stored['bytes']:,} / {stored['memory_bytes']:,}"


def _sizes(text: str) -> tuple[int, ...]:
    sizes = text.split(",")
    if not all(each.isascii() and each.isdigit() and int(each) > 0 for each in sizes):
        raise argparse.ArgumentTypeError(f"{text!r}: use whole numbers above 0 with commas between them, as in {SIZES}")
    return tuple(sorted({int(each) for each in sizes}))


def _count(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a whole number, 0 or more")

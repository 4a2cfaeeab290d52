"""`headrace bench`: measures speed against what else runs in the same minute."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import orjson

from agents.metrics import STAGES
from app.bench.pipeline import Plan, run_pipeline
from app.bench.span import Span
from app.commands import bench_core, bench_loads, bench_peers, bench_scale
from app.commands.bench_loads import positive, tell
from app.datasets.folder import open_dataset
from app.datasets.sample import sample_dataset
from app.kafka.plain_consumers import ceiling, plain_faust
from app.settings import Settings

PIPELINE = """
How many events a second the whole worker processes: validate, profile, neighbours, top 20, Redis, emit, commit.
A backlog is put into an embedded broker once a round; then read, one after the other, by
  ceiling      aiokafka's getmany and orjson.loads, nothing else
  plain Faust  a stock Faust app (Cython, memory store) whose one agent does nothing but orjson.loads
  worker       the installed `headrace worker`, with embedded Redis; measured through its /metrics
each in one process of its own. Start-up and joining the group are left out for all three: the clock runs from the
first event (the ceiling fetches ahead: from its first fetch; the worker: from the first look that finds events done,
which do not count then) to the last one done. A contender that misses an event, or a worker that does not commit
them all, fails the command. What is not JSON counts as read; the worker quarantines it.

Before that, another worker takes in the log's catalogue, and the models read it. HEADRACE_… settings apply to the
worker, but for addresses, the session timeout (6 s, also plain Faust's, so that groups start quickly) and the state
folder.
Other work on the machine slows all three, and not evenly: ratios say more than rates, several rounds more than one,
and processor time per event (the worker without broker and Redis) most.
"""

EXAMPLES = """
examples:
  headrace bench pipeline                            the sample log, a table
  headrace bench pipeline --rounds 3 --json          medians of three rounds as one JSON object
  headrace bench pipeline --data shop/ --events 500000
  HEADRACE_KAFKA_FETCH_MAX_RECORDS=500 headrace bench pipeline
  headrace bench lookup                              look-ups beside a worker at half load
  headrace bench freshness                           from event to readable list, at three loads
  headrace bench core                                where the time of the pure core goes, without Kafka and Redis
  headrace bench scale                               10 thousand to 1 million users and items, on a generated log
  headrace bench peers                               lists beside those of well-known recommenders
"""

PURE = {"core": bench_core.execute, "peers": bench_peers.execute}
OWN_VERBS = frozenset(("load", "feed", "scale-part", "contender"))  # how the command starts itself again
CONTENDERS = {"ceiling": ceiling, "plain-faust": plain_faust}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what can be measured; `contender` is how the command starts itself again."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    pipeline = what.add_parser(
        "pipeline",
        help="the whole worker against plain Faust and the raw client",
        description=PIPELINE,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    pipeline.add_argument("--data", metavar="DIR", type=Path, help="folder or file of a log (default: the sample log)")
    pipeline.add_argument(
        "--events", metavar="N", type=positive, help="cut or repeat the log to N events (default: as it is)"
    )
    pipeline.add_argument("--rounds", metavar="N", type=positive, default=1, help="rounds, for medians (default: 1)")
    bench_loads.add_kafka(pipeline)
    pipeline.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    bench_loads.configure(what)
    bench_core.configure(what, positive)
    bench_scale.configure(what, positive)
    bench_peers.configure(what, positive)
    contender = what.add_parser("contender")
    contender.add_argument("name", choices=CONTENDERS)
    contender.add_argument("--events", type=positive, required=True)
    what.choices = _Verbs(what.choices)


class _Verbs(dict[str, Any]):
    """Holds every verb. An error lists only those that people use."""

    def __iter__(self) -> Iterator[str]:
        return (name for name in super().__iter__() if name not in OWN_VERBS)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Measure; the exit status is 0 when every contender did everything."""
    # A terminated benchmark stops its children as an interrupted one does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if args.what == "contender":
        return _contend(args, settings)
    if args.what in PURE:
        return PURE[args.what](args, settings)
    if args.what == "scale":
        return bench_scale.execute(args)
    if args.what == "scale-part":
        return bench_scale.execute_part(args, settings)
    if args.what in bench_loads.EXECUTE:
        return bench_loads.EXECUTE[args.what](args, settings)
    dataset = open_dataset(args.data) if args.data else sample_dataset(settings.embedded)
    plan = Plan(dataset, args.events, args.rounds, settings.kafka, os.environ, args.kafka)
    result = run_pipeline(plan, tell)
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result))
    return 0


def table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    rows = [("worker", "events_per_second"), ("plain Faust", "plain_faust_events_per_second")]
    rows.append(("ceiling", "ceiling_events_per_second"))
    rounds = "1 round" if result["rounds"] == 1 else f"medians of {result['rounds']} rounds"
    lines = [f"{result['log']}: {result['events']:,} events, {rounds}", ""]
    for name, key in rows:
        low, high = result["spread"][key]["min"], result["spread"][key]["max"]
        cpu = result["cpu_microseconds_per_event"][name.lower().replace(" ", "_")]
        between = f"   ({low:,.0f} to {high:,.0f})" if result["rounds"] > 1 else ""
        lines.append(f"{name:<12}{result[key]:>12,.0f} events/s {cpu:>8.1f} µs of processor time an event{between}")
    stages = ", ".join(f"{stage} {result['stage_seconds'][stage]:.2f}" for stage in STAGES)
    lines += [
        "",
        f"The worker does {result['ratio_to_plain_faust']:.2f} times what plain Faust does, "
        f"{result['ratio_to_ceiling']:.3f} of the ceiling.",
        f"{result['recommendations']:,} lists written; {result['seconds']:.2f} s, of them {stages}.",
        f"{result['cores']} cores, Python {result['python']}.",
    ]
    return "\n".join(lines) + "\n"


def _contend(args: argparse.Namespace, settings: Settings) -> int:
    span = Span(*asyncio.run(CONTENDERS[cast(str, args.name)](settings.kafka, args.events)))
    sys.stdout.write(orjson.dumps(span).decode() + "\n")
    return 0

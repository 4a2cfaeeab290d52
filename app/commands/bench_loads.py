"""`headrace bench lookup` and `headrace bench freshness`, and the processes that put the loads
on.
"""

import argparse
import asyncio
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from app.bench.feed import Feed, send_feed
from app.bench.freshness import FreshnessPlan, run_freshness
from app.bench.load import Load, generate, http_target, lookup_paths, redis_target
from app.bench.lookup import LookupPlan, run_lookup
from app.bench.stage import StagePlan
from app.datasets.folder import open_dataset
from app.datasets.record import Dataset
from app.datasets.sample import sample_dataset
from app.settings import Settings
from app.store.keys import Keys

K = 20

LOOKUP = """
How long a look-up takes: over HTTP (`headrace serve`), and as a plain GET of the same lists on Redis, at each rate;
first beside an idle worker, then beside one that takes half of the events that it sustains.
Broker, Redis, worker, look-up process, the events and the look-ups are processes of their own, on this machine.

The load is open: a look-up is due at a fixed time and its latency counts from then, whether or not a connection was
free. A rate that a target cannot keep up with shows as latencies of seconds and as fewer answers than were due.
What the worker sustains is measured first, as `headrace bench freshness` does. HEADRACE_… settings apply, but for
addresses.
"""
LOOKUP_EXAMPLES = """
examples:
  headrace bench lookup                                  the sample log, 1,000 and 5,000 look-ups a second
  headrace bench lookup --rates 200,500,1000 --seconds 30
  headrace bench lookup --data shop/ --events 200000 --json
"""
FRESHNESS = """
How long an event takes until its user's list is readable in Redis, at several loads: p50 to p99.9.
An event is due at a fixed time, and its delay counts from then, so what waits in a queue is counted, and what
the broker needs to take the event in, which is told apart too.
The loads are shares of what the worker sustains: how many events a second it takes of a stream that comes in faster
than it can take it, beside the sender, broker and Redis. That is measured first, and all of it is taken before the
loads begin. HEADRACE_… settings apply, but for addresses.
The embedded broker takes longer the more batches it holds; on Apache Kafka (--kafka) a delay is several times shorter.
"""
FRESHNESS_EXAMPLES = """
examples:
  headrace bench freshness                               the sample log, 10, 50 and 80 % of that rate
  headrace bench freshness --shares 50 --seconds 60
  headrace bench freshness --kafka kafka:9092            on a Kafka that runs already
  headrace bench freshness --data shop/ --events 200000 --json
"""
PERCENTILES = ("p50", "p90", "p99", "p999", "max")
HEADINGS = ("p50", "p90", "p99", "p99.9", "longest")


def configure(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare both measurements; `load` and `feed` are how they start themselves again."""
    lookup = _parser(
        what, "lookup", "look-ups over HTTP and on Redis, beside a worker at work", LOOKUP, LOOKUP_EXAMPLES
    )
    lookup.add_argument(
        "--rates",
        metavar="N,N",
        type=_numbers,
        default=[1_000.0, 5_000.0],
        help="look-ups a second (default: 1000,5000)",
    )
    lookup.add_argument("--connections", metavar="N", type=positive, default=32, help="open at once (default: 32)")
    text = "from an event to its user's list, at several loads"
    freshness = _parser(what, "freshness", text, FRESHNESS, FRESHNESS_EXAMPLES)
    freshness.add_argument(
        "--shares",
        metavar="N,N",
        type=_numbers,
        default=[10.0, 50.0, 80.0],
        help="%% of the sustained rate (default: 10,50,80)",
    )
    for parser, seconds in ((lookup, 10.0), (freshness, 20.0)):
        parser.add_argument(
            "--seconds", metavar="N", type=_number, default=seconds, help=f"of each load (default: {seconds:g})"
        )
    load = what.add_parser("load")
    load.add_argument("url")
    load.add_argument("--users", type=Path, required=True)
    load.add_argument("--connections", type=positive, required=True)
    feed = what.add_parser("feed")
    feed.add_argument("--data", type=Path)
    feed.add_argument("--events", type=positive, required=True)
    feed.add_argument("--skip", type=int, required=True)
    for parser in (load, feed):
        parser.add_argument("--rate", type=_number, required=True)
    load.add_argument("--seconds", type=_number, required=True)


def add_kafka(parser: argparse.ArgumentParser) -> None:
    """Declare the Kafka that is measured on."""
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        help="a Kafka that runs already, in topics of its own that are removed at the end, with the login of "
        "HEADRACE_KAFKA_… (default: an embedded broker)",
    )


def positive(text: str) -> int:
    """A whole number above 0."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a whole number above 0")


def lookup_table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [f"{result['log']}: lists of {result['users']:,} users, {result['seconds']:g} s each, milliseconds", ""]
    lines.append(f"{'worker':<11}{'target':<8}{'due/s':>7}{'answered/s':>12}" + _headings())
    for run in result["runs"]:
        answered = f"{run['answered_per_second']:>12,.0f}"
        lines.append(f"{run['worker']:<11}{run['target']:<8}{run['rate']:>7,.0f}{answered}" + _cells(run))
        if run["failed"] or run["lost"]:
            lines[-1] += f"   {run['failed']:,} failed, {run['lost']:,} lost"
    lines.append("")
    for each in result["http_to_get"]:
        lines.append(
            f"HTTP at {each['rate']:,.0f}/s, worker {each['worker']}: p50 {each['p50']:g}, p90 {each['p90']:g}, "
            f"p99 {each['p99']:g} times a plain GET."
        )
    http = [run for run in result["runs"] if run["target"] == "http"]
    times = ", ".join(f"{run['serve_cpu_microseconds']:.0f}" for run in http)
    load = next((run["worker_events_per_second"] for run in http if run["worker"] != "idle"), 0.0)
    lines.append(f"The look-up process takes {times} µs of processor time an answer, in the order above.")
    lines.append(
        f"At half load the worker took {load:,.0f} events/s; it sustains "
        f"{result['sustained_events_per_second']:,.0f} of a stream."
    )
    return "\n".join([*lines, _machine(result)])


def freshness_table(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [f"{result['log']}: from event to readable list, {result['seconds']:g} s each, milliseconds", ""]
    lines.append(f"{'load':>5}{'events/s':>10}{'events':>9}{'lists':>9}" + _headings())
    for run in result["runs"]:
        events = f"{run['events_per_second']:>10,.0f}{run['accepted']:>9,}{run['lists']:>9,}"
        lines.append(f"{run['share']:>5.0%}{events}" + _cells(run))
        lines.append(f"{'of it until the broker had it':>33}" + _cells(run, "acknowledged_milliseconds"))
    sustained, backlog = result["sustained_events_per_second"], result["worker_maximum_events_per_second"]
    lines += ["", f"The worker sustains {sustained:,.0f} events/s of a stream, and takes {backlog:,.0f} of a backlog."]
    return "\n".join([*lines, _machine(result)])


def _parser(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, details: str, examples: str
) -> argparse.ArgumentParser:
    parser = what.add_parser(
        name,
        help=summary,
        description=details,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder or file of a log (default: the sample log)")
    parser.add_argument(
        "--events",
        metavar="N",
        type=positive,
        help="cut or repeat the log to a backlog of N events (default: as it is)",
    )
    add_kafka(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


def _lookup(args: argparse.Namespace, settings: Settings) -> int:
    plan = LookupPlan(_stage_plan(args, settings), args.rates, args.seconds, args.connections, settings.redis.prefix)
    return _print(args, run_lookup(plan, tell), lookup_table)


def _freshness(args: argparse.Namespace, settings: Settings) -> int:
    shares = [each / 100 for each in args.shares]
    plan = FreshnessPlan(_stage_plan(args, settings), shares, args.seconds)
    return _print(args, run_freshness(plan, tell), freshness_table)


def _load(args: argparse.Namespace, settings: Settings) -> int:
    users = orjson.loads(args.users.read_bytes())
    if args.url.startswith("redis:"):
        target = redis_target(args.url, Keys(settings.redis.prefix), users)
    else:
        target = http_target(args.url, lookup_paths(users, K))
    result = generate(target, Load(args.rate, args.seconds, args.connections))
    sys.stdout.write(orjson.dumps(asdict(result)).decode() + "\n")
    return 0


def _feed(args: argparse.Namespace, settings: Settings) -> int:
    feed = Feed(args.rate, args.events, args.skip)
    result = asyncio.run(send_feed(settings.kafka, _dataset(args, settings).events, feed))
    sys.stdout.write(orjson.dumps(asdict(result)).decode() + "\n")
    return 0


EXECUTE: Mapping[str, Callable[[argparse.Namespace, Settings], int]] = {
    "lookup": _lookup,
    "freshness": _freshness,
    "load": _load,
    "feed": _feed,
}


def _stage_plan(args: argparse.Namespace, settings: Settings) -> StagePlan:
    return StagePlan(_dataset(args, settings), args.data, args.events, settings.kafka, os.environ, args.kafka)


def _dataset(args: argparse.Namespace, settings: Settings) -> Dataset:
    return open_dataset(args.data) if args.data else sample_dataset(settings.embedded)


def _print(args: argparse.Namespace, result: Mapping[str, object], table: Callable[[Mapping[str, object]], str]) -> int:
    sys.stdout.write(orjson.dumps(result).decode() + "\n" if args.json else table(result) + "\n")
    return 0


def _headings() -> str:
    return "".join(f"{heading:>10}" for heading in HEADINGS)


def _cells(run: Mapping[str, Any], what: str = "milliseconds") -> str:
    return "".join(f"{run[what][name]:>10,.2f}" for name in PERCENTILES)


def _machine(result: Mapping[str, Any]) -> str:
    return f"{result['cores']} cores of {result['processor']}, Python {result['python']}."


def tell(text: str) -> None:
    """Write a line of progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _numbers(text: str) -> list[float]:
    return [_number(each) for each in text.split(",")]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number above 0")
    return value

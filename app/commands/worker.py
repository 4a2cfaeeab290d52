"""`headrace worker`: runs a worker alone, on a Kafka and a Redis that run already."""

import argparse
import asyncio
import sys
from functools import partial

import orjson

from app.guard.access import check_reach
from app.settings import Settings
from app.worker.last_resort import end_within
from app.worker.lifecycle import end_seconds, run_worker

EXAMPLES = """
examples:
  HEADRACE_KAFKA_BOOTSTRAP=kafka:9092 HEADRACE_REDIS_URL=redis://redis:6379/0 headrace worker
  HEADRACE_LOG_LEVEL=debug headrace worker

Workers of one HEADRACE_KAFKA_GROUP share the users. Ctrl-C or SIGTERM finishes the batches in flight first.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments. The worker takes its options from settings."""
    parser.epilog = EXAMPLES
    parser.add_argument("--json", action="store_true", help='print {"url": …} of the probes on standard output')


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Run until SIGINT or SIGTERM."""
    check_reach(settings.worker.host, settings.http, variable="HEADRACE_WORKER_HOST", only_metrics=True)
    last_resort = partial(end_within, end_seconds(settings.kafka))
    asyncio.run(run_worker(settings, announce=_print_url if args.json else None, on_signal=last_resort))
    return 0


def _print_url(url: str) -> None:
    sys.stdout.write(orjson.dumps({"url": url}).decode() + "\n")
    sys.stdout.flush()

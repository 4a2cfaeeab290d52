"""`headrace worker`: the worker alone, on a Kafka and a Redis that run already."""

import argparse
import asyncio

from app.settings import Settings
from app.worker import run_worker

EXAMPLES = """
examples:
  HEADRACE_KAFKA_BOOTSTRAP=kafka:9092 HEADRACE_REDIS_URL=redis://redis:6379/0 headrace worker
  HEADRACE_LOG_LEVEL=debug headrace worker

Workers of one HEADRACE_KAFKA_GROUP share the users. Ctrl-C or SIGTERM finishes the batches in flight first.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The worker takes settings only."""
    parser.epilog = EXAMPLES


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Run until a signal."""
    asyncio.run(run_worker(settings))
    return 0

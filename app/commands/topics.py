"""`headrace topics`: creates the topics that are missing, and lists all."""

import argparse
import asyncio
import sys

import orjson

from app.kafka.topics import create_topics
from app.settings import Settings

DETAILS = """
Creates the Kafka topics that Headrace needs and that are missing, and prints all with their partitions. Existing
topics are not changed. Workers do the same when they start; run this before them, with a login of its own, where
workers may not create topics. Settings say how: HEADRACE_KAFKA_PARTITIONS, HEADRACE_KAFKA_REPLICATION,
HEADRACE_KAFKA_RETENTION_DAYS, HEADRACE_KAFKA_TOPIC_PREFIX.

exit status:
  0  all topics are there
  1  Kafka does not answer or refuses, or existing topics do not fit together
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace topics
  HEADRACE_KAFKA_REPLICATION=3 headrace topics --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{parser.description}\n{DETAILS}"
    parser.epilog = EXAMPLES
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Create the topics. Returns 0; a failure is raised."""
    partitions = asyncio.run(create_topics(settings.kafka))
    if args.json:
        sys.stdout.write(orjson.dumps({"partitions": partitions}).decode() + "\n")
    else:
        width = max(map(len, partitions))
        sys.stdout.writelines(f"{name:<{width}}  {_counted(count)}\n" for name, count in partitions.items())
    return 0


def _counted(count: int) -> str:
    return "1 partition" if count == 1 else f"{count} partitions"

"""`headrace replay`: sends a log to Kafka."""

import argparse
import asyncio
import math
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import orjson

from app.commands.file_options import FILES, add_anyway, add_file_options, mapping_of
from app.concerns import KafkaSettings
from app.datasets.folder import open_dataset
from app.datasets.misfits import telling
from app.datasets.record import Dataset
from app.datasets.sample import sample_dataset
from app.filecheck.first_look import look_first
from app.kafka.partitioning import partition_function
from app.kafka.replay import Pace, producer_for, replay
from app.kafka.topics import create_topics
from app.progress_line import ProgressLine
from app.settings import Settings

GOES = "goes to quarantine"
MOSTLY_REJECTED = 1

DETAILS = f"""
{FILES}
Kafka is found at HEADRACE_KAFKA_BOOTSTRAP; missing topics are created. The catalogue is sent first.

Headrace's own fields of events: event_id, ts, user_id, session_id, item_id, kind, price, quantity, currency,
request_id, position, surface; of items: item_id, title, category, brand, description, price, currency, available or
availability, attributes, updated_at, url, image_url. An empty cell is an absent field, other columns are dropped. A
row with too many or too few cells goes to the topic quarantine. An event without a column event_id gets an id of its
content and place: the same file sent again repeats its ids, and repeated events count once.
kind: view, click, cart, order; fav counts as click, a rating of 4 or more (column rating) as order, a lower
one as view. Rows of any other kind go to the topic quarantine. JSON in this form is sent unchanged.
The log is looked at first, as `headrace check` does: if nothing would be accepted, or more than half would be
rejected, nothing is sent. With --speed N, days without events are skipped.
"""

EXAMPLES = """
examples:
  headrace replay shop/                         everything, as fast as possible
  headrace replay shop/events.csv.gz --speed 1  events only, in real time
  headrace replay shop/ --speed 3600 --json     an hour a second; counts as JSON on standard output
  headrace replay log.csv --map item_id=sku --map ts=created --kind bought=order --time-zone Europe/Berlin
  headrace replay --sample                      100,000 ratings of films, to try things out
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{parser.description}\n{DETAILS}"
    parser.epilog = EXAMPLES
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("path", metavar="PATH", type=Path, nargs="?", help="folder or file of the log")
    what.add_argument("--sample", action="store_true", help="MovieLens-100k instead, fetched once (2 MB)")
    parser.add_argument(
        "--speed",
        metavar="N|max",
        type=speed,
        default=None,
        help="play N times faster than real time; max (default): as fast as possible",
    )
    parser.add_argument("--json", action="store_true", help="print the counts as JSON on standard output")
    add_file_options(parser)
    add_anyway(parser)


def speed(text: str) -> float | None:
    """Parse the argument of --speed. Returns a positive number, or None for `max`."""
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number above 0, or max")
    return value


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Send the log. The exit status is 0 when Kafka has acknowledged every record.

    It is 1 for a log that was sent though most of its rows are rejected.
    """
    dataset = sample_dataset(settings.embedded) if args.sample else open_dataset(args.path, mapping_of(args))
    is_good = look_first(dataset, settings.events, anyway=args.anyway)
    started = time.monotonic()
    counts = asyncio.run(_send(dataset, settings.kafka, args.speed))
    seconds = time.monotonic() - started
    if args.json:
        sys.stdout.write(orjson.dumps(_result(counts, seconds)).decode() + "\n")
    return 0 if is_good else MOSTLY_REJECTED


async def _send(dataset: Dataset, settings: KafkaSettings, speed: float | None) -> Counter[str]:
    await create_topics(settings)
    line = ProgressLine(sys.stderr)
    partition_of = partition_function(settings.partitioner)
    done: Counter[str] = Counter()
    pace = Pace(speed, progress=lambda counts: line.show(_text(dataset.name, done + counts)))
    try:
        async with producer_for(settings) as producer:
            send = partial(replay, producer=producer, prefix=settings.topic_prefix, partition_of=partition_of)
            done = await send(telling(dataset.items(), GOES), pace=Pace())
            events = await send(telling(dataset.events(), GOES), pace=pace)
            done, total = Counter(), done + events
    finally:
        line.close()
    return total


def _text(name: str, counts: Counter[str]) -> str:
    each = ", ".join(f"{count:,} {topic}" for topic, count in sorted(counts.items()))
    return f"{name}: {each or 'nothing'} acknowledged"


def _result(counts: Counter[str], seconds: float) -> dict[str, object]:
    total = counts.total()
    return {
        "topics": dict(sorted(counts.items())),
        "records": total,
        "seconds": round(seconds, 3),
        "records_per_second": round(total / seconds, 1),
    }

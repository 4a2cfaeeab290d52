"""`headrace ranker`: shows the published weights of the learned ranker."""

import argparse
import asyncio
import sys
from typing import Any

import orjson

from app.errors import HeadraceError
from app.kafka.failure import KafkaAway
from app.kafka.login_fault import kafka_away
from app.kafka.newest import read_newest
from app.settings import Settings
from models.ranker.weights import FEATURES_HASH, KEY, RankerRecord, decode_record

READ_AT_ONCE = 20  # newest records: others' than Headrace's may lie behind the weights

DESCRIPTION = """
Shows the weights that all workers rank by, from the topic ranker: their version, who ranks where HEADRACE_RANKER_MODE
is auto, and what each ranker predicted: the share of lists that had the user's next item among 20, and the mean of
1 / rank, on lists that it had not learned from yet.

exit status:
  0  done
  1  Kafka does not answer, or no weights were published
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace ranker show                  the newest weights, for people
  headrace ranker show --json | jq .leader
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb, its arguments and examples."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    show = what.add_parser(
        "show", help="show the published weights", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    show.description, show.epilog = DESCRIPTION, EXAMPLES
    show.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Run the command. Returns the exit status."""
    record = asyncio.run(_newest(settings))
    if record is None:
        raise HeadraceError(
            f"no weights were published to the topic {settings.kafka.topic_prefix}ranker; workers publish them while "
            "they learn, with HEADRACE_RANKER_MODE=auto or learned"
        )
    said = _as_json(record)
    sys.stdout.write(orjson.dumps(said).decode() + "\n" if args.json else _for_people(said))
    return 0


async def _newest(settings: Settings) -> RankerRecord | None:
    try:
        batches = await read_newest(settings.kafka, ["ranker"], READ_AT_ONCE)
    except KafkaAway as error:
        raise await kafka_away(settings.kafka, error, "") from error
    found = None
    for batch in batches:
        for key, value in zip(batch.keys, batch.values, strict=True):
            if key == KEY and value is not None:
                try:
                    found = decode_record(value)
                except ValueError:
                    continue
    return found


def _as_json(record: RankerRecord) -> dict[str, Any]:
    return {
        "version": record.version,
        "lists": record.lists,
        "leader": record.leader,
        "better": record.better,
        "stopped": record.stopped,
        "fits": record.features == FEATURES_HASH,
        "features": record.features,
        "rankers": record.figures,
    }


def _for_people(said: dict[str, Any]) -> str:
    lines = [f"weights {said['version']}, learned from {said['lists']:,} lists; in auto, {said['leader']} ranks"]
    for name, figures in said["rankers"].items():
        lines.append(f"  {name:<8} " + "  ".join(f"{measure} {value:.4f}" for measure, value in figures.items()))
    if said["stopped"]:
        lines.append("learning has stopped at a number that is none: the formula ranks")
    if not said["fits"]:
        lines.append("they are of other features than this version's: workers of this version begin again")
    return "\n".join(lines) + "\n"

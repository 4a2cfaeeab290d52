"""`headrace quarantine`: shows rejected records, and sends them again."""

import argparse
import asyncio
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from app.commands.quarantine_edits import EDITS, add_edits
from app.errors import HeadraceError
from app.guard.pseudonyms import Pseudonyms
from app.progress_line import ProgressLine
from app.quarantine.reading import EVERYWHERE, NEWEST, Choice, QuarantineReading, read_quarantine
from app.quarantine.replay import ReplayPlan, ReplayReport, replay_quarantine
from app.quarantine.shown import list_as_json, record_as_json, replay_as_json, replay_lines, stats_as_json
from app.settings import Settings
from models.contract.fields import Refused, moment
from models.contract.outcome import Reason

SHOWN = 20
AGO = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
VALUE_SHOWN = 100  # characters of a value in a line for people
REASONS = ", ".join(Reason)

DETAILS = f"""
Reads the topic quarantine. Ids of users are shown as pseudonyms, and a value in which they cannot be found for certain,
such as a row of a file or broken JSON, is not shown, unless --show-ids is given. Without --all, up to 100,000 records
of each partition are read.

`fix` sends records as `replay` does, but mended: it makes the edits, in the order in which they are given, from the
original bytes, and leaves out records that they do not change. Choose records by reason, topic and time, and look
with --dry-run first. A record that was fixed or replayed is not sent again.

`replay` reads all. It sends records with their bytes untouched to the partitions that they came from, each once, also
if two replays run at the same time. It leaves out what would be rejected again with the present settings, and what
came from a partition that its topic does not have. Records of items, and titles that were worse than before, are sent
only if --topic items or that reason is named: an old version of an item would take the place of a newer one.

reasons:
{textwrap.fill(REASONS, 110, initial_indent="  ", subsequent_indent="  ")}

exit status:
  0  done
  1  Kafka does not answer, there is no such record, or records are in doubt: a replay ended before it told what
     became of them. If none is running, --take-over looks which of them arrived, and sends the others
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace quarantine stats                             how many, by reason and topic
  headrace quarantine list --reason invalid_value       the newest of one reason
  headrace quarantine list --topic orders --since 2h --json | jq '.records[].detail'
  headrace quarantine show 5f0c2b7d9a1e4c38             the original, and the field for which it was refused
  headrace quarantine replay --reason from_the_future --dry-run     what would be sent again
  headrace quarantine replay --reason from_the_future
  headrace quarantine fix --reason from_the_future --divide ts=1000 --dry-run
  headrace quarantine fix --reason missing_field --rename sku=item_id --set currency=EUR
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs, their arguments and examples."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    listed = _verb(what, "list", "show the newest rejected records")
    listed.add_argument("--count", metavar="N", type=_count, default=SHOWN, help=f"how many (default {SHOWN})")
    _choose(listed)
    _choose(_verb(what, "stats", "count rejected records by reason, topic and state"))
    again = _verb(what, "replay", "send records again that would be accepted now")
    again.add_argument("--dry-run", action="store_true", help="only tell what would be sent")
    again.add_argument(
        "--take-over", action="store_true", help="also send what a replay that ended early may not have sent"
    )
    _choose(again)
    fix = _verb(what, "fix", "send records again, mended by edits of their fields, if they would be accepted then")
    fix.add_argument("--dry-run", action="store_true", help="only tell what would be sent")
    fix.add_argument("--take-over", action="store_true", help="also send what a fix that ended early may not have sent")
    add_edits(fix)
    _choose(fix)
    show = _verb(what, "show", "show one record, and the field for which it was refused")
    show.add_argument("id", metavar="ID", help="the id that `list` shows")


def _verb(what: Any, name: str, summary: str) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = what.add_parser(
        name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verb.description = f"{summary}\n{DETAILS}"
    verb.epilog = EXAMPLES
    verb.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    if name not in ("replay", "fix"):
        verb.add_argument("--all", action="store_true", help="read the whole quarantine, however large")
    if name in ("list", "show"):
        verb.add_argument("--show-ids", action="store_true", help="show ids of users and whole values as they are")
    return verb


def _choose(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--reason", action="append", type=_reason, metavar="REASON", help="only this reason")
    verb.add_argument("--topic", action="append", help="only records of this topic, without its prefix, or file")
    when = "a time with zone such as 2026-11-26T08:00:00Z, or how long ago: 30m, 2h, 7d"
    verb.add_argument("--since", type=_time, default=EVERYWHERE[0], metavar="WHEN", help=when)
    verb.add_argument("--until", type=_time, default=EVERYWHERE[1], metavar="WHEN", help="the same; not included")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Carry out one verb. The exit status is 0 when that was possible."""
    named = None if getattr(args, "show_ids", False) else Pseudonyms.of_settings(settings.log).of
    match args.what:
        case "list":
            told = list_as_json(_read(args, settings, args.count), named)
            _print(told, _list_lines, as_json=args.json)
        case "stats":
            _print(stats_as_json(_read(args, settings, 0)), _stats_lines, as_json=args.json)
        case "replay" | "fix":
            if args.what == "fix" and not args.edits:
                raise HeadraceError(f"fix needs an edit: {EDITS}")
            report = _replayed(args, settings)
            _print(replay_as_json(report, dry_run=args.dry_run), replay_lines, as_json=args.json)
            return 1 if report.in_doubt else 0
        case "show":
            _print(_shown(args, settings, named), _record_lines, as_json=args.json)
    return 0


def _read(args: argparse.Namespace, settings: Settings, most: int) -> QuarantineReading:
    choice = Choice(frozenset(args.reason or ()), frozenset(args.topic or ()), args.since, args.until)
    return _reading(args, settings, choice, most)


def _reading(args: argparse.Namespace, settings: Settings, choice: Choice, most: int) -> QuarantineReading:
    line = ProgressLine(sys.stderr)
    try:
        return asyncio.run(
            read_quarantine(settings.kafka, choice, most, _told(line), newest=None if args.all else NEWEST)
        )
    finally:
        line.close()


def _replayed(args: argparse.Namespace, settings: Settings) -> ReplayReport:
    choice = Choice(frozenset(args.reason or ()), frozenset(args.topic or ()), args.since, args.until)
    plan = ReplayPlan(
        choice,
        uuid4().hex,
        time.time(),
        dry_run=args.dry_run,
        take_over=args.take_over,
        edits=tuple(getattr(args, "edits", None) or ()),
    )
    line = ProgressLine(sys.stderr)
    try:
        return asyncio.run(replay_quarantine(settings.kafka, settings.events, plan, _told(line)))
    finally:
        line.close()


def _told(line: ProgressLine) -> Callable[[float], None]:
    return lambda share: line.show(f"{share:4.0%} of the quarantine read")


def _shown(args: argparse.Namespace, settings: Settings, named: Callable[[str], str] | None) -> dict[str, Any]:
    found = _reading(args, settings, Choice(record_id=args.id), 1)
    if not found.newest:
        older = "" if args.all else "; --all looks at older ones too"
        raise HeadraceError(f"the quarantine has no record {args.id}: `headrace quarantine list` shows ids{older}")
    return record_as_json(found.newest[0], found.replays.state(args.id), named)


def _print(told: dict[str, Any], lines: Callable[[dict[str, Any]], Iterator[str]], *, as_json: bool) -> None:
    text = [orjson.dumps(told).decode()] if as_json else lines(told)
    sys.stdout.write("".join(f"{line}\n" for line in text))


def _list_lines(told: dict[str, Any]) -> Iterator[str]:
    for each in told["records"]:
        place = f"{each['topic']} {each['partition']}:{each['offset']}"
        state = "" if each["state"] == "waiting" else f"  ({each['state']})"
        yield f"{each['id']}  {_date(each['time'])}  {place}  {each['reason']}: {each['detail']}{state}"
        if each["value"]:
            yield f"    {each['value'][:VALUE_SHOWN]}{'…' if len(each['value']) > VALUE_SHOWN else ''}"
    yield f"{len(told['records']):,} of {told['total']:,} shown{_rest(told)}"


def _stats_lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['total']:,} records{_rest(told)}"
    for name, count in told["states"].items():
        if count:
            yield f"{count:10,} {name.replace('_', ' ')}"
    for row in told["rows"]:
        yield f"{row['count']:10,} {row['reason']} in {row['topic']}"
    if told["total"]:
        yield f"from {_date(told['oldest'])} to {_date(told['newest'])}"


def _record_lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"id        {told['id']}, {told['state'].replace('_', ' ')}"
    yield f"from      {told['topic']}, partition {told['partition']}, offset {told['offset']}"
    yield f"refused   {_date(told['time'])}"
    yield f"reason    {told['reason']}: {told['detail']}"
    if told["field"] is not None:
        yield f"field     {told['field']} = {orjson.dumps(told['field_value']).decode()}"
    yield f"key       {'none' if told['key'] is None else told['key']}"
    if told["value"] is None:
        yield f"value     {told['bytes']:,} bytes, not shown: ids of users may be anywhere in it; --show-ids shows it"
    else:
        yield f"value     {told['value']}"


def _rest(told: dict[str, Any]) -> str:
    return "" if told["is_whole"] else "; older ones were not read (--all), or are removed"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")


def _reason(text: str) -> Reason:
    try:
        return Reason(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no reason; there is {REASONS}") from None


def _time(text: str) -> float:
    if (ago := AGO.fullmatch(text)) is not None:
        return time.time() - int(ago[1]) * UNIT_SECONDS[ago[2]]
    try:
        return moment("the time", text)
    except Refused as refused:
        raise argparse.ArgumentTypeError(f"{refused.detail}; or write how long ago, such as 2h") from None


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= 10_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a number from 1 to 10,000")

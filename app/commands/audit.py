"""`headrace audit`: compares the profiles in Redis with the topic `interactions`."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from agents.audit import Audit, Difference, Report
from app.errors import HeadraceError
from app.guard.pseudonyms import Pseudonyms
from app.kafka.whole_log import whole_log
from app.progress_line import ProgressLine
from app.settings import Settings
from app.store.connection import connect
from app.store.keys import Keys
from app.store.profiles import RedisProfiles
from models.contract.events import Kind
from models.profile import Profile, Seen

SAMPLE = 1_000
SHOWN = 20
SECONDS_A_DAY = 86_400.0

DETAILS = """
Makes profiles again from the topic interactions, with the steps that workers use, and compares them with what
Redis has. Nothing is changed, and workers may go on meanwhile. Run it with the workers' settings.
By default it looks at up to 1,000 users, chosen by a hash of their ids. --all looks at everyone, and also finds
profiles that the log does not know; it needs up to 200 MB of memory, and reads the log once for every 100,000 users.
Where retention has removed the beginning of the log, it is checked that Redis has all that is left in the log.

exit status:
  0  no profile differs
  1  some differ, or it could not be found out
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace audit                    a sample of users
  headrace audit --all              every profile
  headrace audit --user u17         one user; may be given several times
  headrace audit --all --json --show-ids | jq '.differences[] | .user_id'
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{parser.description}\n{DETAILS}"
    parser.epilog = EXAMPLES
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--users", metavar="N", type=_count, default=SAMPLE, help=f"sample of users (default {SAMPLE:,})")
    whom.add_argument("--user", metavar="ID", action="append", help="look at this user")
    whom.add_argument("--all", action="store_true", help="look at all users")
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="how long to wait for the log where a profile is ahead of it (default 10)",
    )
    parser.add_argument("--show-ids", action="store_true", help="name users by their ids instead of by pseudonyms")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Compare. The exit status is 0 when no profile differs."""
    started = time.monotonic()
    report = asyncio.run(_audit(args, settings))
    if args.user and not report.users:
        raise HeadraceError(f"neither Redis nor the topic interactions knows {', '.join(args.user)}")
    seconds = time.monotonic() - started
    # Ids that were typed in are no news.
    named = str if args.show_ids or args.user else Pseudonyms.of_settings(settings.log).of
    lines = [orjson.dumps(as_json(report, seconds, named)).decode()] if args.json else as_text(report, named)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if report.differing else 0


async def _audit(args: argparse.Namespace, settings: Settings) -> Report:
    redis = connect(settings.redis)
    line = ProgressLine(sys.stderr)
    try:
        async with whole_log(settings.kafka, "interactions", _shown(line)) as log:
            audit = Audit(
                log=log,
                store=RedisProfiles(redis, Keys(settings.redis.prefix)),
                settings=settings.profile,
                expire_seconds=settings.redis.expire_days * SECONDS_A_DAY,
                clock=time.time,
                patience_seconds=args.wait,
                tell=line.show,
            )
            if args.user:
                return await audit.users(args.user)
            return await (audit.all() if args.all else audit.sample(args.users))
    finally:
        line.close()
        await redis.aclose()


def _shown(line: ProgressLine) -> Callable[[float], None]:
    return lambda share: line.show(f"{share:4.0%} of the log read")


def as_json(report: Report, seconds: float, named: Callable[[str], str]) -> dict[str, Any]:
    """The report as JSON; profiles of the differences in full. `named` names a user."""
    return {
        "users": report.users,
        "same": report.same,
        "expired": report.expired,
        "older_than_the_log": report.older,
        "differing": report.differing,
        "log_is_whole": report.is_whole,
        "interactions": report.interactions,
        "seconds": round(seconds, 3),
        "differences": [
            {
                "user_id": named(each.user_id),
                "problem": each.problem,
                "fields": each.fields,
                "stored": _profile(each.stored),
                "log": _profile(each.rebuilt),
            }
            for each in report.differences
        ],
    }


def as_text(report: Report, named: Callable[[str], str]) -> Iterator[str]:
    """The report for people. `named` names a user."""
    yield f"{report.users:,} users compared with {report.interactions:,} interactions"
    yield f"{report.same:10,} the same" + ("" if report.is_whole else ", as far as the log goes")
    if report.expired:
        yield f"{report.expired:10,} expired, as they should"
    if report.older:
        yield f"{report.older:10,} older than the log, which retention has cut: not compared"
    yield f"{report.differing:10,} differ"
    for each in report.differences[:SHOWN]:
        yield f"{named(each.user_id)}: {each.problem}{''.join(f'{NEXT}{line}' for line in _lines(each))}"
    if report.differing > SHOWN:
        yield f"… and {report.differing - SHOWN:,} more; --json lists up to 1,000 of them"


NEXT = "\n    "


def _lines(difference: Difference) -> Iterator[str]:
    stored, rebuilt = difference.stored, difference.rebuilt
    for name in difference.fields:
        pairs = {
            "recent": (_newest(stored.recent), _newest(rebuilt.recent)),
            "bought": (_newest(stored.bought), _newest(rebuilt.bought)),
            "counts": (_counts(stored), _counts(rebuilt)),
            "session": (stored.session, rebuilt.session),
            "applied": _unequal(dict(stored.applied), dict(rebuilt.applied)),
        }
        yield f"{name}: stored {pairs[name][0]}, log {pairs[name][1]}"


def _newest(seen: tuple[Seen, ...]) -> str:
    return f"{len(seen)} items" + (f" ({seen[0].item_id} first)" if seen else "")


def _counts(profile: Profile) -> str:
    return ", ".join(f"{kind.label} {profile.counts[kind]:.6g}" for kind in Kind)


def _unequal(stored: dict[str, int], rebuilt: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """The sources of which different offsets were applied."""
    sources = [each for each in stored.keys() | rebuilt.keys() if stored.get(each) != rebuilt.get(each)]
    return (
        {each: stored[each] for each in sorted(sources) if each in stored},
        {each: rebuilt[each] for each in sorted(sources) if each in rebuilt},
    )


def _profile(profile: Profile) -> dict[str, Any] | None:
    if not profile.applied:
        return None
    session = profile.session
    return {
        "recent": [[seen.item_id, seen.ts, Kind(seen.kind).label] for seen in profile.recent],
        "bought": [[seen.item_id, seen.ts] for seen in profile.bought],
        "counts": {kind.label: profile.counts[kind] for kind in Kind},
        "counted_at": profile.counted_at,
        "session": None if session is None else [session.session_id, session.start, session.end],
        "applied": dict(profile.applied),
    }


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a number of at least 1")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r}: use seconds from 0 to 3600")
    return value

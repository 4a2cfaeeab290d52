"""`headrace rebuild`: makes profiles in Redis again from the topic `interactions`."""

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson

from agents.rebuild import Rebuild, Rebuilt
from app.errors import HeadraceError
from app.kafka.whole_log import whole_log
from app.progress_line import ProgressLine
from app.settings import Settings
from app.store.connection import connect
from app.store.keys import Keys
from app.store.profiles import RedisRebuilt
from models.users.rebuilding import Users
from models.users.share import ALL_USERS, Chosen

SECONDS_A_DAY = 86_400.0

DETAILS = """
Replaces profiles that are missing, or that are not what the log gives. Workers may go on meanwhile: whoever
writes first counts, and the other one loads again. A profile is kept where it holds more than the log, as when
retention has removed older events. Lists are not touched: a user's list comes with the next event.
Run it with the workers' settings; headrace audit tells beforehand which profiles differ.
--all needs up to 200 MB of memory, and reads the log once for every 100,000 users.

exit status:
  0  every profile is what the log gives, or holds more
  1  some hold events that the log does not have, or it could not be done
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace rebuild --user u17       may be given several times
  headrace rebuild --all            after Redis lost its data
  headrace rebuild --all --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{parser.description}\n{DETAILS}"
    parser.epilog = EXAMPLES
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="ID", action="append", help="make this user's profile again")
    whom.add_argument("--all", action="store_true", help="make all profiles again")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Rebuild. The exit status is 0 when no profile is left that the log cannot explain."""
    started = time.monotonic()
    users: Users = ALL_USERS if args.all else Chosen(frozenset(args.user))
    done = asyncio.run(_rebuild(users, settings))
    if args.user and not done.users:
        raise HeadraceError(f"the topic interactions has nothing of {', '.join(args.user)}")
    seconds = time.monotonic() - started
    lines = [orjson.dumps(as_json(done, seconds)).decode()] if args.json else as_text(done)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if done.ahead else 0


async def _rebuild(users: Users, settings: Settings) -> Rebuilt:
    redis = connect(settings.redis)
    line = ProgressLine(sys.stderr)
    try:
        async with whole_log(
            settings.kafka, "interactions", lambda share: line.show(f"{share:4.0%} of the log read")
        ) as log:
            rebuild = Rebuild(
                log=log,
                store=RedisRebuilt(redis, Keys(settings.redis.prefix)),
                settings=settings.profile,
                expire_seconds=settings.redis.expire_days * SECONDS_A_DAY,
                clock=time.time,
                mark=secrets.randbits(32),
                tell=line.show,
            )
            return await rebuild.run(users)
    finally:
        line.close()
        await redis.aclose()


def as_json(done: Rebuilt, seconds: float) -> dict[str, Any]:
    """What was done as JSON."""
    return {
        "users": done.users,
        "written": done.written,
        "same": done.same,
        "expired": done.expired,
        "kept": done.kept,
        "ahead_of_the_log": done.ahead,
        "interactions": done.interactions,
        "seconds": round(seconds, 3),
    }


def as_text(done: Rebuilt) -> Iterator[str]:
    """What was done, for people."""
    yield f"{done.users:,} users of {done.interactions:,} interactions"
    yield f"{done.written:10,} profiles written"
    yield f"{done.same:10,} as they should be"
    if done.expired:
        yield f"{done.expired:10,} expired, not written"
    if done.kept:
        yield f"{done.kept:10,} kept: they hold older events than the log does"
    if done.ahead:
        yield f"{done.ahead:10,} left alone: they hold events that the log does not have (headrace audit shows them)"

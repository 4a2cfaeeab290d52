"""`headrace forget`: removes users from all that Headrace stores, and gives a receipt."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import orjson

from app.errors import HeadraceError
from app.forgetting.erase import Erase, Order
from app.forgetting.receipt import Receipt, as_json, as_text
from app.progress_line import ProgressLine
from app.settings import Settings
from models.contract.events import GUEST_PREFIX
from models.contract.fields import MAX_ID_LENGTH

DETAILS = """
Sends a request through the topic forget. The workers remove the users' profiles, lists and sessions, and append
to the topic interactions that the users are forgotten; nothing is made again from older records. Then the
quarantine is rewritten without them, and all topics are searched for what is left until retention removes it.
This cannot be undone. Events that a worker processes later begin a new profile: stop sending first.
A guest is named session:<session_id>.

With --purge, what Kafka cannot remove singly goes too: workers rewrite interactions without the users, and
events, lists and requests that the workers have read are removed OF ALL USERS. Other programs that have not read
them yet lose them. docs/privacy.md says what is where, and for how long.

exit status:
  0  everything that was asked for is erased
  1  something is not, as the receipt says
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace forget u17
  headrace forget u17 session:a81f --json > receipt.json
  headrace forget --from ids.txt --no-search     one id a line, - for standard input; a large log is not searched
  headrace forget u17 --purge                    leave nothing in Kafka either
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{parser.description}\n{DETAILS}"
    parser.epilog = EXAMPLES
    parser.add_argument("users", metavar="USER", nargs="*", help="id of a user to forget")
    parser.add_argument("--from", dest="file", metavar="FILE", help="read ids from a file, one a line; - for stdin")
    parser.add_argument("--purge", action="store_true", help="remove what was read of events and lists, of all users")
    parser.add_argument("--no-search", dest="search", action="store_false", help="do not search the topics afterwards")
    parser.add_argument(
        "--wait", metavar="SECONDS", type=_seconds, default=60.0, help="how long to wait for the workers (default 60)"
    )
    parser.add_argument("--json", action="store_true", help="print the receipt as one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Forget the users. The exit status is 0 when all that was asked for is erased."""
    order = Order(_user_ids(args), purge=args.purge, search=args.search, wait_seconds=args.wait)
    receipt = asyncio.run(_erase(order, settings))
    lines = [orjson.dumps(as_json(receipt)).decode()] if args.json else as_text(receipt)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if receipt.is_done else 1


async def _erase(order: Order, settings: Settings) -> Receipt:
    line = ProgressLine(sys.stderr)
    try:
        return await Erase(settings.kafka, settings.redis, order, time.time, line.show).run()
    finally:
        line.close()


def _user_ids(args: argparse.Namespace) -> list[str]:
    given: list[str] = list(args.users)
    if args.file is not None:
        given += _read(args.file).splitlines()
    user_ids = list(dict.fromkeys(user for user in map(str.strip, given) if user))
    if not user_ids:
        raise HeadraceError("no user is named: headrace forget USER, or --from FILE")
    longest = MAX_ID_LENGTH + len(GUEST_PREFIX)
    if too_long := [user for user in user_ids if len(user) > longest]:
        raise HeadraceError(f"{len(too_long)} of the ids have more than {longest} characters, which no user has")
    return user_ids


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HeadraceError(f"{name} cannot be read: {error}") from error


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r}: use seconds from 0 to 86400")
    return value

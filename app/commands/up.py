"""`headrace up`: starts the embedded broker and Redis alone, for workers of your own."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from app.errors import HeadraceError
from app.local.kept import kept_servers
from app.local.run import EMBEDDED
from app.local.servers import RunningServer, running_broker, running_redis
from app.settings import Settings
from app.store.keys import Keys

DESCRIPTION = """\
Start the embedded broker and Redis on free ports, and nothing else, until Ctrl-C. Prints lines for a shell that lead
all other commands to them. Both are for trying out on one machine. They keep everything in memory, or in the folder
that --keep names, which needs the extra `keep` (in the checkout: .venv/bin/pip install -e '.[keep]'). The ports are
others at each start."""

EXAMPLES = """\
examples:
  headrace up                        the addresses, as lines for another shell
  headrace up --keep ~/shop          the same, and what they hold is there again the next time
  headrace up --json                 the same as one JSON object on standard output
"""

POLL_SECONDS = 0.2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.add_argument("--keep", metavar="DIR", type=Path, help="folder in which both keep what they hold")
    parser.add_argument("--json", action="store_true", help="print the settings as one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until Ctrl-C or SIGTERM. Raises HeadraceError when a server ends by itself."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            logs = Path(stack.enter_context(TemporaryDirectory(prefix="headrace-up-")))
            broker, redis, *others = stack.enter_context(_servers(args.keep, logs))
            environ = EMBEDDED | {"HEADRACE_KAFKA_BOOTSTRAP": broker.address, "HEADRACE_REDIS_URL": redis.address}
            sys.stdout.write((orjson.dumps(environ).decode() if args.json else _snippets(environ, settings)) + "\n")
            sys.stdout.flush()
            after = f"what they hold stays in {args.keep}" if args.keep else "what they hold is gone then"
            sys.stderr.write(f"Ctrl-C stops both servers; {after}.\n")
            _wait((broker, redis, *others))
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
    return 0


@contextmanager
def _servers(keep: Path | None, logs: Path) -> Iterator[tuple[RunningServer, ...]]:
    if keep is not None:
        with kept_servers(keep.expanduser().absolute(), logs) as servers:
            yield servers
    else:
        with running_broker(logs) as broker, running_redis(logs) as redis:
            yield broker, redis


def _wait(servers: tuple[RunningServer, ...]) -> None:
    while not (faults := [server.fault for server in servers if server.fault]):
        time.sleep(POLL_SECONDS)
    raise HeadraceError(f"{'; '.join(faults)}. All are stopped; run `headrace up` again")


def _snippets(environ: dict[str, str], settings: Settings) -> str:
    kafka, redis = environ["HEADRACE_KAFKA_BOOTSTRAP"], environ["HEADRACE_REDIS_URL"]
    key = Keys(settings.redis.prefix).recommendation("ada")
    views = f"{settings.kafka.topic_prefix}views"
    event = '{"event_id": "v1", "user_id": "ada", "item_id": "50", "ts": "2026-01-01T10:00:00Z"}'
    return "\n".join(
        [
            "# in another shell: the settings, then a worker, look-ups, and a log",
            *(f"export {name}={value}" for name, value in environ.items()),
            "headrace worker &",
            "HEADRACE_SERVE_ACCEPT_EVENTS=true headrace serve &",
            "headrace replay --sample",
            "",
            "# one event with kcat (its key is the user id), and the list that follows",
            f"echo 'ada|{event}' | kcat -P -b {kafka} -t {views} -K '|' -X topic.partitioner=murmur2_random",
            f"redis-cli -u {redis} GET '{key}'",
        ]
    )

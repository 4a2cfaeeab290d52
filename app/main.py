"""The console script `headrace`: finds the command, reads the settings, explains mistakes."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast

# Everything else is imported once Ctrl-C is silent. The imports take most of a second.
if TYPE_CHECKING:
    from app.settings import Settings

COMMANDS = {
    "run": "everything on this machine: broker, Redis, worker, look-ups, a log replayed",
    "up": "the embedded broker and Redis alone, for workers of your own",
    "worker": "process events from Kafka into lists in Redis",
    "serve": "answer look-ups over HTTP, and show the console page",
    "replay": "send a file of events to Kafka",
    "check": "tell what would become of a file of events, without any server",
    "evaluate": "measure the lists on a log with a known future",
    "tune": "search for settings that make better lists on a log",
    "bench": "measure speed against what else runs in the same minute",
    "models": "make, check and time the model artefacts",
    "items": "judge a title; list hidden items, and allow some",
    "quality": "write a page on the quality of a log",
    "quarantine": "show rejected records, and send them again",
    "ranker": "show, pin, roll back or export what the learned ranker learned",
    "audit": "compare the profiles in Redis with the log",
    "rebuild": "make profiles in Redis again from the log",
    "forget": "remove users from all that is stored, with a receipt",
    "topics": "create the Kafka topics that are missing, and list all",
    "doctor": "check addresses, versions, topics and models, and say what to do",
}

# They end with one line if Kafka does not answer.
ONE_LINE = ("replay", "quarantine", "ranker", "audit", "rebuild", "forget", "topics", "doctor")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class Command(Protocol):
    """The functions that a module under `app.commands` offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare arguments, description and examples."""

    def execute(self, args: argparse.Namespace, settings: "Settings") -> int:
        """Run the command. Returns the exit status."""


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns its exit status, which is 0 only when the command succeeded."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        with _interrupted_silently():
            args = _parser(arguments).parse_args(arguments)
            importlib.import_module("app.settings")
        return _execute(args)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _execute(args: argparse.Namespace) -> int:
    from app.errors import HeadraceError, UnusableSetting
    from app.guard.pseudonyms import Pseudonyms
    from app.logs import configure_logs, quiet_kafka_client
    from app.settings import InvalidSetting, load, secret_values
    from app.store.secrecy import scrub_for, scrub_tracebacks
    from models.contract.formats import NewerFormat

    scrub = scrub_for(secret_values(os.environ))
    scrub_tracebacks(scrub)
    try:
        settings = load(os.environ)
        pseudonyms = Pseudonyms.of_settings(settings.log)
        configure_logs(settings.log, lambda text: pseudonyms.in_text(scrub(text)))
        if args.command in ONE_LINE:
            quiet_kafka_client(settings.log)
        return _command(args.command).execute(args, settings)
    except (InvalidSetting, UnusableSetting) as invalid:
        return _fail(scrub(str(invalid)), EXIT_USAGE)
    except (HeadraceError, NewerFormat) as error:
        return _fail(scrub(str(error)), EXIT_FAILED)


@contextmanager
def _interrupted_silently() -> Iterator[None]:
    """Let Ctrl-C end the process at once, inside the block.

    During an import, other code might catch the KeyboardInterrupt or fail because of it.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Version(argparse.Action):
    """Prints the version and exits."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"headrace {version('headrace')}\n")
        parser.exit()


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace",
        description="Views, clicks, carts and orders in, checked field by field; fresh top-k lists out. "
        "With models, items whose texts are poor stay out of them.",
        epilog="Settings are HEADRACE_… environment variables; `.env.example` lists them. Start with: headrace run",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(
            name, help=summary, description=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in arguments[:1]:  # import only the command in use: `headrace serve` needs no Faust
            _command(name).configure(sub)
    return parser


def _command(name: str) -> Command:
    return cast(Command, importlib.import_module(f"app.commands.{name}"))


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"headrace: {message}\n")
    return status

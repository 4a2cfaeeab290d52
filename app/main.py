"""The `headrace` console script: finds the command, reads the settings once, and turns mistakes into advice."""

import argparse
import importlib
import os
import sys
from typing import Protocol, cast

from app.errors import HeadraceError
from app.logs import configure_logs
from app.settings import InvalidSetting, Settings, load

COMMANDS = {
    "run": "everything on this machine: broker, Redis, worker, look-ups, a log replayed",
    "worker": "process events from Kafka into lists in Redis",
    "serve": "answer look-ups over HTTP, and show the console page",
    "replay": "send a file of events to Kafka",
    "evaluate": "measure the lists on a log with a known future",
    "bench": "measure speed against what else runs in the same minute",
    "models": "make, check and time the model artefacts",
    "doctor": "check addresses, versions, topics and models, and say what to do",
}

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class Command(Protocol):
    """What a module under `app.commands` offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare arguments, description and examples."""

    def execute(self, args: argparse.Namespace, settings: Settings) -> int:
        """Do it, and return the exit status."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 only when it did what it was asked."""
    arguments = sys.argv[1:] if argv is None else argv
    args = _parser(arguments).parse_args(arguments)
    try:
        settings = load(os.environ)
        configure_logs(settings.log)
        return _command(args.command).execute(args, settings)
    except InvalidSetting as invalid:
        return _fail(str(invalid), EXIT_USAGE)
    except HeadraceError as error:
        return _fail(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace",
        description="Views, clicks and orders in; fresh, quality-checked top-k lists out.",
        epilog="Settings are HEADRACE_… environment variables; `.env.example` lists them. Start with: headrace run",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        sub = commands.add_parser(
            name, help=summary, description=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in arguments[:1]:  # only the command in use is imported: `headrace serve` needs no Faust
            _command(name).configure(sub)
    return parser


def _command(name: str) -> Command:
    return cast(Command, importlib.import_module(f"app.commands.{name}"))


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"headrace: {message}\n")
    return status

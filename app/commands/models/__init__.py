"""`headrace models`: makes, checks and times the model artefacts. One module for each verb.

A module declares its arguments and prints the result. The work itself is not done here,
but in `app/artefacts`.
"""

import argparse
from collections.abc import Mapping
from typing import Protocol

from app.commands.models import bench, evaluate_quality, export, export_judge, train_quality, verify
from app.commands.models.arguments import EXAMPLES
from app.errors import HeadraceError
from app.settings import Settings
from models.inference.manifest import ManifestError


class Verb(Protocol):
    """The functions that a module of a verb offers."""

    SUMMARY: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def execute(self, args: argparse.Namespace, settings: Settings) -> int:
        """Run the verb. Returns the exit status."""


VERBS: Mapping[str, Verb] = {
    "export": export,
    "verify": verify,
    "bench": bench,
    "train-quality": train_quality,
    "evaluate-quality": evaluate_quality,
    "export-judge": export_judge,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    parser.epilog = EXAMPLES
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, verb in VERBS.items():
        sub = what.add_parser(name, help=verb.SUMMARY, formatter_class=argparse.RawDescriptionHelpFormatter)
        sub.description = verb.SUMMARY
        verb.configure(sub)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Run the verb. The exit status is 0 when it succeeded."""
    try:
        return VERBS[args.what].execute(args, settings)
    except ManifestError as error:
        raise HeadraceError(str(error)) from error

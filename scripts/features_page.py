"""Write `docs/features.md`, the table of the ranker's features, from their declarations.

Run it with `make features-page`. With `--check` it changes nothing, and fails if the page is out of
date.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from models.ranker.features import FEATURES, Feature

PAGE = Path(__file__).resolve().parent.parent / "docs/features.md"

HEADER = """\
# Features of the learned ranker

Made by `make features-page` from `models/ranker/features.py`; do not edit by hand.

A feature is a number for one candidate of one list. Where the unit is a logarithm, x is what the
column "meaning" says. The session is what its user did in it so far; its last item is the one being
looked at. Features are standardised by mean and deviation before they are weighed.
[ADR 22](adr/0022-a-ranker-that-learns.md) says where candidates come from.

| feature | meaning | unit | source |
|---|---|---|---|
"""


def page(features: Iterable[Feature]) -> str:
    """Return the text of the page: a row a feature, in the order of the network's inputs."""
    rows = (f"| `{each.name}` | {each.meaning} | {_cell(each.unit)} | {each.source} |\n" for each in features)
    return HEADER + "".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page, or compare it with `--check`. Returns 1 if it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is out of date")
    check = parser.parse_args().check
    wanted = page(FEATURES)
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    sys.stderr.write(f"docs/features.md: {'out of date; run make features-page' if check else 'written'}\n")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())

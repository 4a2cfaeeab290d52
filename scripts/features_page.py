"""Write `docs/features.md`, the table of the ranker's features, from their declarations.

Run it with `make features-page`. With `--check` it changes nothing, and fails if the page is out of
date.
"""

from collections.abc import Iterable
from pathlib import Path

from made_page import cell, write_or_check

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
    rows = (f"| `{each.name}` | {each.meaning} | {cell(each.unit)} | {each.source} |\n" for each in features)
    return HEADER + "".join(rows)


def main() -> int:
    """Write the page, or compare it with `--check`. Returns 1 if it is out of date."""
    return write_or_check(__doc__, PAGE, page(FEATURES), "features-page")


if __name__ == "__main__":
    raise SystemExit(main())

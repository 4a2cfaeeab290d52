"""Reads titles from catalogue files, to calibrate, check and time models."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from app.datasets.named_rows import named_rows
from app.datasets.rows import lines_of
from app.errors import HeadraceError

SEED = 11
FEWEST = 200


def read_titles(paths: Sequence[Path]) -> list[str]:
    """Return the different titles of CSV files (column `title`) and of text files (one per line).

    The titles are shuffled, in an order that depends only on the titles. A folder stands for the
    `items.csv.gz` in it. Raises HeadraceError for a file that cannot be read, and for fewer than
    200 titles.
    """
    titles = sorted({title for path in paths for title in _titles_of(path)})
    if len(titles) < FEWEST:
        raise HeadraceError(f"{len(titles)} different titles are too few, {FEWEST} are needed: name more --items files")
    return [titles[row] for row in np.random.default_rng(SEED).permutation(len(titles))]


def _titles_of(path: Path) -> Iterator[str]:
    path = path / "items.csv.gz" if path.is_dir() else path
    if path.name.removesuffix(".gz").endswith(".csv"):
        yield from _column(path)
        return
    for row in lines_of(path):
        if title := row.content.decode("utf-8", "replace").strip():
            yield title


def _column(path: Path) -> Iterator[str]:
    for row in named_rows(path, required=("title",)):
        if title := row["title"].strip():
            yield title

"""Writes a page that is made from the code, or tells that it is out of date."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_or_check(description: str | None, page: Path, wanted: str, target: str) -> int:
    """Write the text to the page, or compare it with `--check` on the command line.

    Returns the exit status: 1 if the page was compared and is out of date. `target` is that of
    `make` that writes it.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is out of date")
    check = parser.parse_args().check
    if page.exists() and page.read_text(encoding="utf-8") == wanted:
        return 0
    if not check:
        page.write_text(wanted, encoding="utf-8")
    sys.stderr.write(f"{page.relative_to(ROOT)}: {f'out of date; run make {target}' if check else 'written'}\n")
    return 1 if check else 0


def cell(text: str) -> str:
    """Return the text for a cell of a table."""
    return text.replace("|", "\\|")

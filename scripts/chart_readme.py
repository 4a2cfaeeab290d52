"""Write `helm/headrace/README.md` from the comments of the chart's values.

Run it with `make chart-readme`. With `--check` it changes nothing, and fails if the page is out of
date.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "helm/headrace"
PAGE = CHART / "README.md"
KEY = re.compile(r"^( *)([A-Za-z_]+):")
COMMENT = re.compile(r"^ *# ?(.*)$")

HEAD = """\
# The Headrace chart

Made by `make chart-readme` from the comments in `values.yaml`; do not edit it by hand.

```sh
helm install headrace helm/headrace --set settings.HEADRACE_KAFKA_BOOTSTRAP=kafka:9092 \\
  --set settings.HEADRACE_REDIS_URL=redis://redis:6379/0
helm test headrace    # the look-ups answer, and `headrace doctor` finds no fault
```

`ci/` has sets of values that the checks render and validate. A value that cannot work is
refused before anything is installed. [Operations](../../docs/operations.md#options-of-the-chart) says what
to set first.

| value | default | meaning |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its path with dots, its default, and the comment above it."""

    path: str
    default: str
    meaning: str


def values(text: str) -> Iterator[Value]:
    """Yield the values that have no parts, and parts that have a comment, in the file's order."""
    whole = yaml.safe_load(text)
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        if found := COMMENT.match(line):
            comment.append(found[1])
        elif not line.strip():
            comment = []
        elif found := KEY.match(line):
            path = [*(each for each in path if each[0] < len(found[1])), (len(found[1]), found[2])]
            names = [name for _, name in path]
            if names[0] == "settings" and len(names) > 1:
                continue
            default = _at(whole, names)
            has_parts = isinstance(default, dict) and bool(default) and line.rstrip().endswith(":")
            if comment or not has_parts:
                shown = "" if has_parts else f"`{json.dumps(default)}`"
                yield Value(".".join(names), shown, " ".join(comment))
            comment = []


def page() -> str:
    """Return the text of the page."""
    rows = [f"| `{each.path}` | {each.default} | {_cell(each.meaning)} |\n" for each in values(_values_file())]
    return HEAD + "".join(rows)


def _values_file() -> str:
    return (CHART / "values.yaml").read_text(encoding="utf-8")


def _at(whole: Any, names: list[str]) -> Any:
    for name in names:
        whole = whole[name]
    return whole


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page, or compare it with `--check`. Returns 1 if it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is out of date")
    check = parser.parse_args().check
    wanted = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    sys.stderr.write(f"{PAGE.relative_to(ROOT)}: {'out of date; run make chart-readme' if check else 'written'}\n")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())

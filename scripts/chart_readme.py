"""Write `helm/headrace/README.md` from the comments of the chart's values.

Run it with `make chart-readme`. With `--check` it changes nothing, and fails if the page is out of
date.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from made_page import ROOT, cell, write_or_check

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
    rows = [f"| `{each.path}` | {each.default} | {cell(each.meaning)} |\n" for each in values(_values_file())]
    return HEAD + "".join(rows)


def _values_file() -> str:
    return (CHART / "values.yaml").read_text(encoding="utf-8")


def _at(whole: Any, names: list[str]) -> Any:
    for name in names:
        whole = whole[name]
    return whole


def main() -> int:
    """Write the page, or compare it with `--check`. Returns 1 if it is out of date."""
    return write_or_check(__doc__, PAGE, page(), "chart-readme")


if __name__ == "__main__":
    raise SystemExit(main())

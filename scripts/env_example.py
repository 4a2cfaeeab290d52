"""Write the files that repeat the settings: `.env.example`, and the names that the chart knows.

Both are made from `app.settings`, so a setting is declared in one place. Run it with `make
env-example`. With `--check` it changes nothing, and fails if a file is out of date.
"""

import argparse
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from app.settings import Variable, variables

ROOT = Path(__file__).resolve().parent.parent
ENV_EXAMPLE = ROOT / ".env.example"
SETTINGS = ROOT / "helm/headrace/settings.txt"
SET_BY_THE_CHART_FILE = ROOT / "helm/headrace/settings-of-the-chart.txt"

# The chart's templates set these, beside the ports, volumes and Secrets that they belong to.
SET_BY_THE_CHART = frozenset(
    {
        "HEADRACE_WORKER_HOST",
        "HEADRACE_WORKER_PORT",
        "HEADRACE_WORKER_STATE_DIR",
        "HEADRACE_SERVE_HOST",
        "HEADRACE_SERVE_PORT",
        "HEADRACE_MODEL_DIR",
        "HEADRACE_HTTP_TOKENS",
        "HEADRACE_HTTP_METRICS_TOKENS",
        "HEADRACE_LOG_PSEUDONYM_KEY",
        "HEADRACE_KAFKA_SASL_PASSWORD",
        "HEADRACE_KAFKA_TLS_KEY_PASSWORD",
    }
)

HEADER = """\
# Every setting of Headrace with its default: an environment variable each. Uncomment what you change.
# Made by `make env-example` from the settings' declarations; do not edit by hand.
"""


def env_example(settings: Iterable[Variable]) -> str:
    """Return the text of `.env.example`: a paragraph per concern, a comment per setting."""
    paragraphs = [HEADER]
    for _, concern in groupby(settings, key=lambda variable: variable.name.split("_")[1]):
        paragraphs.append("".join(f"# {each.help}\n#{each.name}={each.default}\n" for each in concern))
    return "\n".join(paragraphs)


def names(settings: Iterable[Variable], *, by_the_chart: bool) -> str:
    """Return a line for each setting that the chart's values may hold, or that the chart sets."""
    return "".join(f"{each.name}\n" for each in settings if (each.name in SET_BY_THE_CHART) == by_the_chart)


def main() -> int:
    """Write all files, or compare them with `--check`. Returns 1 if one is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file is out of date")
    check = parser.parse_args().check
    settings = tuple(variables())
    wanted = {
        ENV_EXAMPLE: env_example(settings),
        SETTINGS: names(settings, by_the_chart=False),
        SET_BY_THE_CHART_FILE: names(settings, by_the_chart=True),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if not check:
            path.write_text(wanted[path], encoding="utf-8")
        sys.stderr.write(f"{path.relative_to(ROOT)}: {'out of date; run make env-example' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Write the dashboards to `helm/headrace/monitoring/dashboards`.

Run it with `make dashboards`. With `--check` it changes nothing, and fails if a file is out of
date.
"""

import argparse
import json
import sys
from pathlib import Path

from .capacity import CAPACITY
from .data_quality import DATA_QUALITY
from .grafana import as_json
from .models import MODELS
from .overview import OVERVIEW
from .pipeline import PIPELINE
from .recommendations import RECOMMENDATIONS

ROOT = Path(__file__).resolve().parents[2]
# Helm reads only what lies inside the chart; compose.yaml mounts the same folder.
FOLDER = ROOT / "helm/headrace/monitoring/dashboards"
DASHBOARDS = (OVERVIEW, PIPELINE, DATA_QUALITY, RECOMMENDATIONS, MODELS, CAPACITY)


def main() -> int:
    """Write all dashboards, or compare them with `--check`. Returns 1 if one is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file is out of date")
    check = parser.parse_args().check
    wanted = {FOLDER / f"{each.name}.json": json.dumps(as_json(each), indent=1) + "\n" for each in DASHBOARDS}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    left = [path for path in FOLDER.glob("*.json") if path not in wanted]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        sys.stderr.write(f"{path.name}: {'out of date; run make dashboards' if check else 'written'}\n")
    for path in left:
        if not check:
            path.unlink()
        sys.stderr.write(f"{path.name}: {'not made by any dashboard; run make dashboards' if check else 'removed'}\n")
    return 1 if check and (stale or left) else 0


if __name__ == "__main__":
    raise SystemExit(main())

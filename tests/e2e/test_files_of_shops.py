"""`headrace run --once` with a folder of files as eight tools write them, without any option."""

import subprocess
from pathlib import Path

import orjson
from runs import ENVIRONMENT
from shop_files import RETAILROCKET, SHOP_FILES
from workers import HEADRACE


def test_files_of_eight_tools_are_learned_as_they_are(tmp_path: Path) -> None:
    for tool, shop in SHOP_FILES.items():
        # beside a file called events, no other events are looked for
        name = f"{tool}.csv" if shop is RETAILROCKET else shop.name
        (tmp_path / name).write_text(shop.with_bad_rows().text(), encoding="utf-8")
    done = subprocess.run(
        [HEADRACE, "run", "--once", "--speed", "max", "--json", "--data", str(tmp_path)],
        env={**ENVIRONMENT, "HEADRACE_MODEL_DIR": ""},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    result = orjson.loads(done.stdout)
    events = [shop for shop in SHOP_FILES.values() if shop.of == "events"]
    items = [shop for shop in SHOP_FILES.values() if shop.of == "items"]
    good = sum(len(shop.rows) for shop in events)
    # in two of them, an item without an id has a name, which is its id
    assert (result["accepted"], result["duplicates"]) == (good + 2, 0)
    assert result["quarantined"] == {"invalid_time": len(events), "missing_field": len(events) - 2}
    assert result["items"] >= sum(len(shop.rows) for shop in items)
    # a feed has no column for the time of a change, so it has one bad row less
    assert result["items_quarantined"] == {"invalid_time": 1, "missing_field": 2}

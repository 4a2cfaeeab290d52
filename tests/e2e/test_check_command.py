"""`headrace check` as it is called: output, exit status, and a mapping kept in a file."""

import subprocess
from pathlib import Path

import orjson
from runs import ENVIRONMENT
from workers import HEADRACE

MINE = "when;who;what;sku\n1700000000000;mira;bought;lamp-1\n1700000060000;jon;seen;lamp-2\n"
OPTIONS = ["--map", "ts=when", "--map", "user_id=who", "--map", "kind=what", "--map", "item_id=sku"]


def check(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([HEADRACE, "check", *arguments], env=ENVIRONMENT, capture_output=True, check=False, text=True)


def test_a_file_of_ones_own_is_understood_step_by_step_and_the_steps_are_kept(tmp_path: Path) -> None:
    log, kept = tmp_path / "log.csv", tmp_path / "mine.toml"
    log.write_text(MINE)

    unknown = check(str(log))
    assert unknown.returncode == 1
    assert "try --map ts=when --map item_id=sku" in unknown.stderr

    named = check(str(log), *OPTIONS)
    assert named.returncode == 1
    assert "try --kind bought=order" in named.stdout
    assert "nothing would be accepted: all 2 rows are rejected" in named.stderr

    kinds = ["--kind", "bought=order", "--kind", "seen=view"]
    early = check(str(log), *OPTIONS, *kinds)
    assert early.returncode == 1
    assert "try --time-unit ms" in early.stdout

    good = check(str(log), *OPTIONS, *kinds, "--time-unit", "ms", "--save-mapping", str(kept))
    assert good.returncode == 0, good.stderr
    assert "2 events: 2 would be accepted (1 order, 1 view), 0 rejected" in good.stdout

    again = check(str(log), "--mapping", str(kept), "--json")
    assert again.returncode == 0, again.stderr
    result = orjson.loads(again.stdout)
    assert (result["ok"], result["files"][0]["accepted"]) == (True, {"orders": 1, "views": 1})

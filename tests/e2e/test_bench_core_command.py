"""`headrace bench core` as a user meets it: the whole log goes through the core, whatever it
takes.
"""

import os
import subprocess
from pathlib import Path

import orjson
import pytest
from workers import HEADRACE

STEPS = {"admit", "find", "follow", "learn", "decide", "predict"}


def bench_core(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    command = [HEADRACE, "bench", "core", *map(str, arguments)]
    return subprocess.run(command, env=kept, capture_output=True, text=True, check=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    rows = [
        {"event_id": str(number), "ts": 1590884413 + number, "item_id": f"i{number % 29}", "user_id": f"u{number % 7}"}
        for number in range(300)
    ]
    events = b"\n".join(orjson.dumps(row | {"kind": ("view", "order")[row["ts"] % 2]}) for row in rows)  # type: ignore[operator]  # ts is a number
    (tmp_path / "events.jsonl").write_bytes(events)
    items = "".join(f"i{number},Pen {number},pens\n" for number in range(29))
    (tmp_path / "items.csv").write_text("item_id,title,category\n" + items)
    return tmp_path


def test_every_step_is_told_of_in_one_json_object(shop: Path) -> None:
    done = bench_core("--data", shop, "--events", "700", "--json")
    assert done.returncode == 0, done.stderr
    printed = orjson.loads(done.stdout)
    assert (printed["events"], set(printed["microseconds_per_event"])) == (700, STEPS)
    # Views and orders of the 7 users of the log and of its two further copies, each in a batch of
    # its partition.
    assert printed["lists"] == 2 * 7 * 3
    assert all(100 < printed[each] < 2_000 for each in ("profile_bytes", "list_bytes"))


def test_people_get_a_table(shop: Path) -> None:
    done = bench_core("--data", shop)
    assert done.returncode == 0, done.stderr
    assert all(any(line.startswith(step) for line in done.stdout.splitlines()) for step in STEPS)


def test_a_log_without_events_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"")
    done = bench_core("--data", tmp_path)
    assert done.returncode == 1
    assert "no event" in done.stderr
    assert bench_core("--events", "0").returncode == 2

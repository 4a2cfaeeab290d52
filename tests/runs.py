"""What tests of `headrace run` share: a small log, and its output as it comes."""

import os
import select
import time
from pathlib import Path
from typing import IO

import pytest
from workers import PATIENCE_SECONDS

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}


@pytest.fixture
def small_shop(tmp_path: Path) -> Path:
    """Three users, four titled items, one row of each fault, and two faults in the catalogue."""
    folder = tmp_path / "shop"
    folder.mkdir()
    start = 1_500_000_000
    rows = [
        f"{user}-{item},{start + n},{user},,{item},{kind},,"
        for user in ("ann", "bob", "cleo")
        for n, (item, kind) in enumerate([("i1", "view"), ("i2", "click"), ("i3", "order"), ("i4", "cart")])
    ]
    troubles = [
        f"ann-i1,{start},ann,,i1,view,,",  # the same event again
        f"odd,{start},ann,,i1,returned,,",  # no kind that Headrace knows
        "late,1000,ann,,i1,view,,",  # before there were shops to click in
        f"guest,{start + 9},,s1,i1,view,,",
    ]
    head = "event_id,ts,user_id,session_id,item_id,kind,price,quantity"
    (folder / "events.csv").write_text("\n".join([head, *rows, *troubles]) + "\n")
    items = [f"i{n},Thing number {n},Things > Some" for n in range(1, 5)]
    items += ["i5,\u200b,Things", ",Thing without an id,Things"]
    (folder / "items.csv").write_text("\n".join(["item_id,title,category", *items]) + "\n", encoding="utf-8")
    return folder


def read_until(stream: IO[bytes] | None, end: bytes) -> str:
    """Return what the process printed up to the line that begins with `end`."""
    assert stream is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    lines: list[bytes] = []
    while not lines or not lines[-1].startswith(end):
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        line = stream.readline() if ready else b""
        assert line, b"".join(lines).decode()
        lines.append(line)
    return b"".join(lines).decode()

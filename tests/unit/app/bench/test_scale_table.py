"""What `headrace bench scale` makes of its parts: ratios, and a table for people."""

from typing import Any

from app.bench.scale import with_ratios
from app.commands.bench_scale import table


def part(users: int, items: int, microseconds: float) -> dict[str, Any]:
    stored = {"profile": {"bytes": 321, "memory_bytes": 456}, "list": {"bytes": 1_234, "memory_bytes": 1_500}}
    sizes = {"users": 3 << 20, "neighbours": 5 << 20, "item_facts": 0}
    return {
        "users": users,
        "items": items,
        "microseconds_per_event": microseconds,
        "array_bytes": sizes,
        "resident_bytes": 77 << 20,
        "stored": stored,
    }


def result() -> dict[str, Any]:
    parts = with_ratios([part(10_000, 500, 8.0), part(1_000_000, 500, 9.2)])
    return {"seed": 4, "sessions": 1_000_000, "events": 5_000, "by_users": parts, "by_items": parts[:1], "cores": 2}


def test_the_ratio_is_that_to_the_smallest_size() -> None:
    assert [each["ratio"] for each in with_ratios([part(1, 1, 8.0), part(2, 1, 9.2), part(3, 1, 4.0)])] == [
        1,
        1.15,
        0.5,
    ]


def test_every_size_has_a_row_with_cost_ratio_memory_and_bytes_a_user() -> None:
    rows = [line.split() for line in table(result()).splitlines() if line.strip().startswith(("10,000", "1,000,000"))]
    assert rows[1] == ["1,000,000", "500", "9.20", "1.15", "8", "77", "321", "/", "456", "1,234", "/", "1,500"]
    assert len(rows) == 3


def test_people_are_told_that_the_log_is_generated() -> None:
    assert table(result()).startswith("A generated log (seed 4)")


def test_the_start_is_told_of_when_it_was_measured() -> None:
    spent = {"cpu_seconds": 2.5, "seconds": 3.5}
    log = spent | {"events_per_cpu_second": 250_000, "events_per_second": 180_000}
    start = {
        "sessions": 10,
        "events": 30,
        "log": log,
        "snapshot": {"bytes": 9 << 20, "save": spent, "load": spent | {"cpu_seconds": 1.25}},
    }
    assert "start" not in table(result()).lower().replace("start with", "")
    shown = table(result() | {"start": start})
    assert "250,000 events/s" in shown
    assert "snapshot of 9 MiB 1.2 s" in shown

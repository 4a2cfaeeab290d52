"""`headrace bench scale`: the cost of an event, a user and a start in a larger shop; each size in
its own process.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from app.bench.child import child, failed

Tell = Callable[[str], None]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """What is measured: `users` and `items` grow through `sizes` one at a time, the other one keeps
    its number.

    All sizes have learned the same number of sessions, the larger of `sessions` and the users, so
    that they differ in nothing but their users and items. `start_sessions` are learned from the log
    and saved; 0 leaves that out.
    """

    sizes: tuple[int, ...]
    users: int
    items: int
    sessions: int
    start_sessions: int
    events: int
    seed: int


def run_scale(plan: ScalePlan, environment: Mapping[str, str], tell: Tell) -> Result:
    """Measure all sizes, then the start. Raises HeadraceError when one of them fails."""
    with TemporaryDirectory(prefix="headrace-scale-") as name:
        folder = Path(name)
        points = list(_points(plan))
        parts: dict[tuple[int, int], Result] = {}
        for number, (users, items) in enumerate(points, 1):
            tell(f"{number} of {len(points)}: {users:,} users, {items:,} items, {plan.sessions:,} sessions before")
            size = {"users": users, "items": items, "sessions": plan.sessions}
            arguments = size | {"events": plan.events, "seed": plan.seed}
            parts[users, items] = _child("size", arguments, environment, folder)
        result = _assemble(plan, parts)
        if plan.start_sessions:
            tell(f"start: {plan.start_sessions:,} sessions from the log, then from a snapshot")
            some = max(plan.start_sessions // 10, 1)
            size = {"users": some, "items": some, "sessions": plan.start_sessions}
            result["start"] = _child("start", size | {"seed": plan.seed}, environment, folder)
    return result


def with_ratios(parts: list[Result]) -> list[Result]:
    """The parts of one axis, the smallest first, each with its cost against that."""
    first = parts[0]["microseconds_per_event"]
    return [part | {"ratio": round(part["microseconds_per_event"] / first, 3) if first else 0.0} for part in parts]


def _points(plan: ScalePlan) -> Iterator[tuple[int, int]]:
    yield from dict.fromkeys([*((users, plan.items) for users in plan.sizes), *((plan.users, n) for n in plan.sizes)])


def _assemble(plan: ScalePlan, parts: Mapping[tuple[int, int], Result]) -> Result:
    return {
        "log": "generated",
        "seed": plan.seed,
        "sessions": plan.sessions,
        "events": plan.events,
        "by_users": with_ratios([parts[users, plan.items] for users in plan.sizes]),
        "by_items": with_ratios([parts[plan.users, items] for items in plan.sizes]),
        "cores": os.cpu_count(),
    }


def _child(what: str, arguments: Mapping[str, int], environment: Mapping[str, str], folder: Path) -> Result:
    log = folder / f"{what}.log"
    command = ["bench", "scale-part", what, *(f"--{name}={value}" for name, value in arguments.items())]
    with child(command, environment, log) as process:
        output, _ = process.communicate()
    if process.returncode != 0:
        raise failed(f"the measurement of {' '.join(command[2:])}", process.returncode, log)
    found: Result = orjson.loads(output)
    return found

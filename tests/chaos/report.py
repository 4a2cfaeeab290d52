"""What a run is told as: a line, a file beside its logs, and a summary of all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from chaos.run import Outcome

COUNTS = ("records", "accepted", "repeats", "quarantined", "profiles", "items", "begun_again")
TOLD = ("wrong_profiles", "lost", "double")


def line_of(outcome: Outcome, folder: Path) -> str:
    """One run in one line."""
    verdict = outcome.verdict
    told = (
        f"{verdict.records:,} events ({verdict.accepted:,} accepted, {verdict.repeats:,} repeats, "
        f"{verdict.quarantined:,} in quarantine), {verdict.profiles:,} profiles, {verdict.items:,} items; "
        f"{len(outcome.schedule)} disturbances in {outcome.seconds:.0f} s, "
        f"all processed {outcome.settled_seconds:.0f} s after the last"
    )
    if outcome.ends:
        told += f"; {len(outcome.ends)} worker(s) ended in a way to look at"
    if outcome.is_right:
        return f"seed {outcome.seed}: right: {told}"
    wrong = outcome.trouble or ", ".join(
        f"{len(found)} {name.replace('_', ' ')}" for name, found in verdict.faults.items()
    )
    return f"seed {outcome.seed}: WRONG: {wrong}; {told}; logs in {folder}"


def record(outcome: Outcome, folder: Path) -> None:
    """Everything about a run, in `outcome.json` beside its logs."""
    body = asdict(outcome) | {"schedule": list(map(str, outcome.schedule)), "is_right": outcome.is_right}
    (folder / "outcome.json").write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))


def as_json(outcomes: Sequence[Outcome]) -> str:
    """One object: each run, sums, and each kind of disturbance."""
    body = {
        "runs": [_run(each) for each in outcomes],
        "right": sum(each.is_right for each in outcomes),
        **_sums(outcomes),
        "by_disturbance": _by_disturbance(outcomes),
    }
    return orjson.dumps(body).decode() + "\n"


def summary(outcomes: Sequence[Outcome]) -> str:
    """The same for people."""
    sums = _sums(outcomes)
    lines = [
        f"{sum(each.is_right for each in outcomes)} of {len(outcomes)} runs are right: "
        + ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sums.items())
    ]
    for name, row in sorted(_by_disturbance(outcomes).items()):
        lines.append(
            f"  {name:<12} {row['times']:>4} times in {row['runs']:>3} runs, {row['wrong_runs']} of them wrong"
        )
    return "\n".join(lines)


def _run(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        "seed": outcome.seed,
        "is_right": outcome.is_right,
        "trouble": outcome.trouble,
        "seconds": round(outcome.seconds, 1),
        "settled_seconds": round(outcome.settled_seconds, 1),
        "disturbances": list(map(str, outcome.schedule)),
        "ends": outcome.ends,
        **{name: getattr(verdict, name) for name in COUNTS},
        **verdict.faults,
    }


def _sums(outcomes: Sequence[Outcome]) -> dict[str, int]:
    verdicts = [each.verdict for each in outcomes]
    found = {name: sum(getattr(each, name) for each in verdicts) for name in COUNTS}
    faults: Counter[str] = Counter(dict.fromkeys(TOLD, 0))
    for each in verdicts:
        faults.update({name: len(wrong) for name, wrong in each.faults.items()})
    return found | dict(faults) | {"not_judged": sum(bool(each.trouble) for each in outcomes)}


def _by_disturbance(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """By kind: how often it came, in how many runs, and what was wrong in those; a run has several
    kinds.
    """
    rows: dict[str, Counter[str]] = {}
    for each in outcomes:
        times = Counter(entry.name for entry in each.schedule)
        wrong = {name: len(getattr(each.verdict, name)) for name in TOLD}
        for name, count in times.items():
            row = rows.setdefault(name, Counter())
            row.update({"times": count, "runs": 1, "wrong_runs": int(not each.is_right), **wrong})
    return {name: dict(row) for name, row in rows.items()}

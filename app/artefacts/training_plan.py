"""Declares what the quality model is trained on."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What to train on, for how many steps, and where to write."""

    items: tuple[Path, ...]
    base: Path
    out: Path
    report: Path
    steps: int
    seed: int
    threads: int
    left_out: frozenset[str]

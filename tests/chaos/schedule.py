"""Which disturbance begins when: seeded, so that a run can be had again."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from chaos.disturbances import DISTURBANCES

FIRST_SECONDS = (2.0, 6.0)
GAP_SECONDS = (0.5, 6.0)
REST_SECONDS = 0.5  # before the same thing is met again
TAIL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One disturbance: seconds after the beginning, how long, and which worker it meets where it
    meets one.
    """

    name: str
    at: float
    seconds: float
    place: int

    @property
    def end(self) -> float:
        return self.at + self.seconds

    def __str__(self) -> str:
        met = f" of {self.place}" if DISTURBANCES[self.name].meets in ("worker", "link") else ""
        return f"{self.name}{met} for {self.seconds:.1f} s at {self.at:.1f} s"


def make_schedule(seed: int, count: int, names: Sequence[str], workers: int) -> list[Entry]:
    """`count` disturbances of these kinds; every kind comes before one comes again. They may
    overlap.
    """
    rng = Random(f"schedule {seed}")
    free_at: dict[tuple[str, int], float] = {}
    entries: list[Entry] = []
    bag: list[str] = []
    at = rng.uniform(*FIRST_SECONDS)
    for _ in range(count):
        bag = bag or rng.sample(list(names), len(names))
        name = bag.pop()
        kind = DISTURBANCES[name]
        place = rng.randrange(workers)
        met = (kind.meets, place if kind.meets in ("worker", "link") else 0)
        begin = max(at, free_at.get(met, 0.0))
        entry = Entry(name, round(begin, 2), round(rng.uniform(*kind.seconds), 2), place)
        free_at[met] = entry.end + REST_SECONDS
        entries.append(entry)
        at += rng.uniform(*GAP_SECONDS)
    return sorted(entries, key=lambda each: each.at)


def length(entries: Sequence[Entry]) -> float:
    """How long events are sent, in seconds."""
    return max((each.end for each in entries), default=0.0) + TAIL_SECONDS

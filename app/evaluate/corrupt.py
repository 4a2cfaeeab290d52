"""Runs a log with injected faults through the recommender, with the checks and without them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.datasets.record import QUARANTINE, Dataset
from app.errors import HeadraceError
from app.evaluate.lister import Lister
from app.evaluate.plot import PlotLine, PlotPoint, draw_lines
from app.settings import Settings
from models.contract.events import KIND_OF_TOPIC, Item
from models.evaluation.confidence import Interval, interval
from models.evaluation.prequential import StreamPlan
from models.faults.consumers import Consumed, consume, consume_unchecked
from models.faults.cost import Truth, detections, rank_truth, rejected_sound, repair_accuracy, truth_of
from models.faults.detection import Detection
from models.faults.events import Arrival, Fault, SoundEvent, corrupt, perfectly_read
from models.ranker.judge import FORMULA
from models.ranker.settings import RankerSettings
from models.recommender import Recommender

SEED = 0  # of the faults and of the bootstrap

Show = Callable[[str], None]


class DirtyRun(NamedTuple):
    """What one rate of faults led to; hit rates at 20 with their intervals of 95 %."""

    rate: float
    records: int
    faults: dict[str, Detection]
    repaired: dict[str, float]
    rejected_sound: float
    without_stage: Interval
    with_stage: Interval
    perfect: Interval


@dataclass(slots=True)
class DirtyLog:
    """A sound log, whose faults are drawn again for each rate, always from the same seed."""

    settings: Settings
    faults: Sequence[Fault]
    plan: StreamPlan
    show: Show
    events: list[SoundEvent]
    items: Sequence[Item]

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        items: Sequence[Item],
        settings: Settings,
        faults: Sequence[Fault],
        plan: StreamPlan,
        show: Show,
    ) -> "DirtyLog":
        """Read the log's events in the order of their times. Raises HeadraceError without any."""
        found = [
            SoundEvent(each.topic, each.key, each.value, each.ts)
            for each in dataset.events()
            if each.topic != QUARANTINE
            and each.topic in KIND_OF_TOPIC
            and each.value is not None
            and each.ts is not None
        ]
        if not found:
            raise HeadraceError(f"{dataset.name} has no events that can be used: nothing to corrupt")
        return cls(settings, faults, plan, show, sorted(found, key=lambda each: each.time), items)

    def measure(self, rates: Sequence[float]) -> tuple[Interval, int, list[DirtyRun]]:
        """Return the hit rate of the untouched log, the number of predictions, and a run a rate.

        Raises HeadraceError when there is nothing to predict.
        """
        sound = [Arrival(*event, row) for row, event in enumerate(self.events)]
        consumed = consume_unchecked(sound)
        truth = truth_of(consumed, np.array([each.time for each in self.events]), self.plan)
        if not truth.is_wanted.any():
            raise HeadraceError("no event to be predicted follows another one of its session: nothing to predict")
        untouched = self._hit_rate("untouched", sound, consumed, truth)
        return untouched, int(np.count_nonzero(truth.is_wanted)), [self._run(rate, consumed, truth) for rate in rates]

    def _run(self, rate: float, sound: Consumed, truth: Truth) -> DirtyRun:
        arrivals = corrupt(self.events, rate, self.faults, np.random.default_rng(SEED))
        with_stage, without = (
            consume(arrivals, self.settings.events, self.settings.plausibility, self.items),
            consume_unchecked(arrivals),
        )
        perfect = perfectly_read(self.events, arrivals)
        name = f"{rate:.1%} faults"
        return DirtyRun(
            rate=rate,
            records=len(arrivals),
            faults=detections(arrivals, with_stage.outcomes),
            repaired=repair_accuracy(arrivals, with_stage, sound),
            rejected_sound=rejected_sound(arrivals, with_stage),
            without_stage=self._hit_rate(f"{name}, without the stage", arrivals, without, truth),
            with_stage=self._hit_rate(f"{name}, with the stage", arrivals, with_stage, truth),
            perfect=self._hit_rate(f"{name}, read perfectly", perfect, consume_unchecked(perfect), truth),
        )

    def _hit_rate(self, name: str, arrivals: Sequence[Arrival], consumed: Consumed, truth: Truth) -> Interval:
        lister = Lister(Recommender(self.settings.recommender), FORMULA, RankerSettings())
        lister.warm_up()
        ranks = rank_truth(
            arrivals,
            consumed,
            truth,
            lister,
            lister.recommender.items,
            self.plan.batch,
            lambda done, of: self.show(f"{name}: {done:,} of {of:,} records"),
        )
        session = np.unique(truth.sessions[truth.is_wanted], return_inverse=True)[1].astype(np.int64)
        return interval((ranks > 0).astype(np.float64), session, np.random.default_rng(SEED))


def as_json(untouched: Interval, run: DirtyRun) -> dict[str, Any]:
    """Return a run's figures; `won_back` is None where no hit was lost."""
    lost = untouched.mean - run.without_stage.mean
    won, possible = run.with_stage.mean - run.without_stage.mean, run.perfect.mean - run.without_stage.mean
    return {
        "rate": run.rate,
        "records": run.records,
        "faults": {
            name: {
                "injected": each.injected,
                "found": each.found,
                "precision": round(each.precision, 4),
                "recall": round(each.recall, 4),
                "repair_accuracy": round(run.repaired[name], 4) if name in run.repaired else None,
            }
            for name, each in run.faults.items()
        },
        "rejected_sound": round(run.rejected_sound, 6),
        "hit_rate@20": {
            "without_stage": bounds(run.without_stage),
            "with_stage": bounds(run.with_stage),
            "perfect_stage": bounds(run.perfect),
        },
        "lost": round(lost, 4),
        "won_back": round(won / lost, 4) if lost > 0 else None,
        "won_back_of_possible": round(won / possible, 4) if possible > 0 else None,
    }


def bounds(found: Interval) -> dict[str, float]:
    """Return the interval for JSON."""
    return {name: round(value, 4) for name, value in found._asdict().items()}


def plot(title: str, untouched: Interval, runs: Sequence[DirtyRun], path: Path) -> None:
    """Draw the hit rates over the share of faulty records. Raises HeadraceError if that fails."""
    highest = max(run.rate for run in runs) or 1.0
    ordered = sorted(runs, key=lambda run: run.rate)
    start = PlotPoint(0.0, *untouched)
    lines = [
        PlotLine("with the stage", [start, *(PlotPoint(run.rate / highest, *run.with_stage) for run in ordered)]),
        PlotLine("without it", [start, *(PlotPoint(run.rate / highest, *run.without_stage) for run in ordered)]),
        PlotLine("a perfect one", [start, *(PlotPoint(run.rate / highest, *run.perfect) for run in ordered)]),
    ]
    ticks = [f"{highest * at / 4:.1%}" for at in range(5)]
    draw_lines(f"{title}: hit rate at 20 by share of faulty records", ticks, lines, path)

"""Searches for settings that make better lists, on the newest part of a log's train part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import HeadraceError, install_line
from app.evaluate.lister import Lister
from app.evaluate.prepared import Preparation, Show
from app.settings import PREFIX, Settings
from models.contract.events import Kind
from models.evaluation.confidence import Gain, gain
from models.evaluation.prequential import EventStream, StreamPlan, evaluate
from models.evaluation.session_protocol import Visit
from models.processor import hash_session
from models.recommender import LearningBatch

BATCH = 256  # events that are predicted before any of them is learned
ROUNDING = 3  # significant digits of a proposed number


class Range(NamedTuple):
    """Where values of a setting are looked for; whole numbers where both bounds are."""

    concern: str
    name: str
    low: float
    high: float
    log: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{PREFIX}_{self.concern}_{self.name}".upper()


OF_NEIGHBOURS = (
    Range("neighbours", "neighbours", 25, 400, log=True),
    Range("neighbours", "postings", 100, 1000, log=True),
    Range("neighbours", "session_items", 10, 100, log=True),
    Range("neighbours", "last_items", 1, 20),
    Range("neighbours", "position_decay", 0.2, 1.0),
    Range("neighbours", "rarity_power", 0.0, 3.0),
    Range("neighbours", "vote_distance", 0.5, 10.0, log=True),
    Range("neighbours", "far_share", 0.0, 0.6),
    Range("neighbours", "revisit_weight", 0.0, 5.0),
)
OF_MEANING = (
    Range("semantic", "weight", 0.1, 10.0, log=True),
    Range("semantic", "taste_weight", 0.0, 1.0),
    Range("semantic", "last_decay", 0.0, 1.0),
)


@dataclass(frozen=True, slots=True)
class TunePlan:
    """What is tried: for how long, how often at most, on how many predictions at most, and the seed
    of the search.

    `part` is the share of the train part, the newest, that is predicted.
    """

    seconds: float
    trials: int | None
    limit: int
    seed: int
    part: float = 0.3


@dataclass(frozen=True, slots=True)
class TuneTrial:
    """Values by setting, and what lists were worth with them: hit rate and MRR at 20."""

    values: Mapping[Range, float]
    hit_rate: float
    mrr: float
    ranks: NDArray[np.int64] = field(repr=False)
    sessions: NDArray[np.int64] = field(repr=False)

    @property
    def gains(self) -> NDArray[np.float64]:
        """Of each prediction, hit + 1 / rank."""
        hits = (self.ranks > 0).astype(np.float64)
        return hits + hits / np.maximum(self.ranks, 1)

    @property
    def worth(self) -> float:
        """What is to become as large as possible."""
        return self.hit_rate + self.mrr

    def gain_over(self, other: "TuneTrial") -> Gain:
        """How much more hit rate + MRR is, on the same predictions."""
        return gain(self.gains, other.gains, self.sessions)


class OutOfTimeError(Exception):
    """Raised inside a trial that the time does not suffice for."""


@dataclass(slots=True)
class Tuning:
    """A search. `trials` are those that ended, the present settings first.

    `clock` gives seconds.
    """

    prepared: Preparation
    train: Sequence[Visit]
    plan: TunePlan
    clock: Callable[[], float]
    trials: list[TuneTrial] = field(default_factory=list)

    @property
    def best(self) -> TuneTrial:
        """The best trial so far; of equal ones the first."""
        return max(self.trials, key=lambda each: each.worth)

    def run(self, show: Show) -> None:
        """Try settings until the time is over; the present ones are tried in any case.

        Raises HeadraceError without the package, and where there is nothing to predict. What was
        tried so far is kept if it is interrupted.
        """
        try:
            optuna: Any = import_module("optuna")
        except ImportError as error:
            raise HeadraceError(f"tuning needs the package {error.name}: {install_line('tune')}") from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.plan.seed))
        present, until = self.prepared.settings, self.clock() + self.plan.seconds
        ranges = self._ranges(present, show)
        study.enqueue_trial({each.variable: getattr(getattr(present, each.concern), each.name) for each in ranges})
        while not self.trials or (self.clock() < until and len(self.trials) != self.plan.trials):
            asked = study.ask()
            values = {each: self._suggested(asked, each) for each in ranges}
            if not self.trials:  # out of range or not, the present settings are what others are compared with
                values = {each: getattr(getattr(present, each.concern), each.name) for each in ranges}
            try:
                trial = self._try(with_values(present, values), values, until, show)
            except OutOfTimeError:
                break
            study.tell(asked, trial.worth)
            self.trials.append(trial)

    def _ranges(self, present: Settings, show: Show) -> Sequence[Range]:
        self.prepared.settings = present
        uses_meaning = self.prepared.lister(show).recommender.meaning.is_used
        return (*OF_NEIGHBOURS, *(OF_MEANING if uses_meaning else ()))

    @staticmethod
    def _suggested(asked: Any, each: Range) -> float:
        if isinstance(each.low, int):
            return int(asked.suggest_int(each.variable, each.low, each.high, log=each.log))
        return float(f"{asked.suggest_float(each.variable, each.low, each.high, log=each.log):.{ROUNDING}g}")

    def _try(self, settings: Settings, values: Mapping[Range, float], until: float, show: Show) -> TuneTrial:
        self.prepared.settings = settings
        lister = self.prepared.lister(show)
        lister.warm_up()
        stream, number = stream_of(self.train, lister), len(self.trials) + 1
        since = float(stream.events.ts[int((1 - self.plan.part) * len(self.train))])

        def told(done: int, of: int) -> None:
            left = until - self.clock()
            if self.trials and left <= 0:
                raise OutOfTimeError
            so_far = f"; best {self.best.worth:.4f}, at first {self.trials[0].worth:.4f}" if self.trials else ""
            show(f"trial {number}: {done:,} of {of:,} events{so_far}; {max(left, 0):,.0f} s left")

        scored = evaluate(stream, lister, StreamPlan(since=since, batch=BATCH, limit=self.plan.limit), told)
        if not len(scored.events):
            raise HeadraceError("no event of the newest part follows another one of its session: nothing to predict")
        hits = scored.ranks > 0
        _, sessions = np.unique(stream.events.sessions[scored.events], return_inverse=True)
        mrr = float((hits / np.maximum(scored.ranks, 1)).mean())
        return TuneTrial(values, float(hits.mean()), mrr, scored.ranks, sessions)


def with_values(settings: Settings, values: Mapping[Range, float]) -> Settings:
    """Settings with other values."""
    by_concern: dict[str, dict[str, Any]] = {}
    for each, value in values.items():
        by_concern.setdefault(each.concern, {})[each.name] = value
    changed = {name: replace(getattr(settings, name), **changes) for name, changes in by_concern.items()}
    return replace(settings, **changed)


def stream_of(train: Sequence[Visit], lister: Lister) -> EventStream:
    """The visits as events of one kind, as `headrace evaluate` learns them."""
    batch = LearningBatch(
        items=lister.recommender.items.numbers(visit.item_id for visit in train),
        sessions=np.array([hash_session(visit.session_id) for visit in train], np.uint64),
        ts=np.array([visit.ts for visit in train]),
        kinds=np.full(len(train), Kind.CLICK, np.int32),
    )
    return EventStream(batch, np.array([hash_session(visit.user_id or visit.session_id) for visit in train], np.uint64))

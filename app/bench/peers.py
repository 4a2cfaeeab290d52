"""`headrace bench peers`: lists of well-known recommenders and of Headrace, in one run."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import process_time

import numpy as np

from app.bench.boosted import BoostedTrees
from app.bench.factors import SessionFactors
from app.bench.linear import LinearSessions
from app.datasets.record import Dataset
from app.errors import HeadraceError, install_line
from app.evaluate.lister import AUTO, Lister
from app.evaluate.prepared import Preparation
from app.evaluate.stream import read_stream
from models.evaluation.breakdown import break_down
from models.evaluation.prequential import Contender, EventStream, StreamPlan, evaluate
from models.evaluation.related_peers import ItemNeighbours, ItemTransitions, PopularItems
from models.evaluation.session_peers import SessionNeighbours, WeighedSessionNeighbours
from models.ranker.judge import FORMULA
from models.vocabulary import Vocabulary

NEWEST = 0.2  # share of the events that is predicted, if no time is given
OURS = {"headrace, formula (VMIS-kNN)": FORMULA, "headrace, learned": AUTO}
PEERS: dict[str, Callable[[], Contender]] = {
    "popularity": PopularItems,
    "transitions": ItemTransitions,
    "item-kNN": ItemNeighbours,
    "STAN": SessionNeighbours,
    "VSTAN": WeighedSessionNeighbours,
}
# Those of packages, with the packages.
REMADE: dict[str, tuple[Callable[[], Contender], tuple[str, ...]]] = {
    "SLIST": (LinearSessions, ("scipy",)),
    "ALS (implicit)": (lambda: SessionFactors(pairwise=False), ("implicit", "scipy")),
    "BPR (implicit)": (lambda: SessionFactors(pairwise=True), ("implicit", "scipy")),
}
BOOSTED = "LambdaRank (LightGBM)"

Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PeerComparison:
    """What is compared, on which events: from `since` on, in seconds, or the newest ones."""

    dataset: Dataset
    since: float | None
    limit: int | None
    batch: int


def run_peers(asked: PeerComparison, prepared: Preparation, show: Show) -> dict[str, object]:
    """Evaluate all contenders, one after the other, on the same predictions.

    Raises HeadraceError when the log cannot be read, or has nothing to predict.
    """
    stream = read_stream(asked.dataset, Vocabulary())
    ts = stream.events.ts
    since = float(np.quantile(ts, 1 - NEWEST)) if asked.since is None else asked.since
    plan = StreamPlan(since=since, batch=asked.batch, limit=asked.limit)
    rows: dict[str, object] = {}
    missing = [name for name, (_, packages) in REMADE.items() if not _are_installed(*packages)]
    contenders = PEERS | {name: make for name, (make, _) in REMADE.items() if name not in missing}
    for name, make in contenders.items():
        rows[name] = _row(name, make(), stream, plan, show)
    if _are_installed("lightgbm"):
        prepared.ranker = AUTO
        lister = _begun(prepared, show)
        assert lister.ranker is not None
        own = read_stream(asked.dataset, lister.recommender.items)
        rows[BOOSTED] = _row(BOOSTED, BoostedTrees(lister.ranker), own, plan, show)
    else:
        missing.append(BOOSTED)
    for name, ranker in OURS.items():
        prepared.ranker = ranker
        lister = _begun(prepared, show)
        rows[name] = _row(name, lister, read_stream(asked.dataset, lister.recommender.items), plan, show)
    left_out = [*prepared.left_out, *(f"{name}: {install_line('bench')}" for name in missing)]
    return {"log": asked.dataset.name, "since": since, "contenders": rows, "left_out": left_out}


def _are_installed(*packages: str) -> bool:
    return all(find_spec(package) for package in packages)


def _begun(prepared: Preparation, show: Show) -> Lister:
    lister = prepared.lister(show)
    lister.warm_up()
    lister.begin()
    return lister


def _row(name: str, contender: Contender, stream: EventStream, plan: StreamPlan, show: Show) -> dict[str, object]:
    started = process_time()
    scored = evaluate(stream, contender, plan, lambda done, of: show(f"{name}: {done:,} of {of:,} events"))
    if not len(scored.events):
        raise HeadraceError("no event to be predicted follows another one of its session: nothing to predict")
    found = break_down(stream, scored, int(stream.events.items.max()) + 1)
    return {
        "predictions": found.whole.predictions,
        "hit_rate@20": {bound: round(value, 4) for bound, value in found.hit_rate._asdict().items()},
        "mrr@20": {bound: round(value, 4) for bound, value in found.mrr._asdict().items()},
        "cpu_seconds": round(process_time() - started, 1),
    }

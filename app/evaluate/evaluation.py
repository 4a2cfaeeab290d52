"""Measures lists offline: learns a log's past, then asks for a list at every step of its future.

It runs the recommender and the profile step of the worker, without Kafka and Redis.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.datasets.field import topic_of
from app.datasets.folder import in_folder
from app.datasets.mapping import KINDS, NO_MAPPING
from app.datasets.named_rows import LeftOut
from app.datasets.rows import NO_LAST_CELL, lines_of
from app.datasets.table import open_table
from app.errors import HeadraceError
from app.evaluate.lister import Lister
from models.contract.events import Kind
from models.contract.outcome import Reason
from models.evaluation.confidence import Gain, gain
from models.evaluation.hits import Evaluation
from models.evaluation.session_protocol import (
    Case,
    Experiment,
    Row,
    Visit,
    fault_of,
    read_lines,
    split_by_column,
    split_by_time,
)
from models.processor import ListMaker, hash_session
from models.recommender import LearningBatch, Recommender
from models.users.arrays import Steps
from models.users.gather import NO_SESSION, ListRequests
from models.users.table import MISSING

LEARNING_EVENTS = 10_000
CUTOFF = 20
COLUMNS = ("item_id", "ts", "session_id", "user_id", "split", "kind", "rating")
SOURCE = GUEST = "evaluate"
PERCENTILES = (50, 90, 99)

Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """The quality at 20 of all predictions, and of predictions of cold items.

    A cold item is one that no user had acted on before. `seconds` holds the time of each
    prediction, shape (predictions,). `repeats` is the quality where the item being looked at may be
    listed, `formula` that of the formula's lists, and `ranker` tells which ranker made the others.
    `gains` are theirs over the formula's, by measure.
    """

    quality: Mapping[str, float]
    cold: Mapping[str, float]
    repeats: Mapping[str, float]
    formula: Mapping[str, float]
    seconds: np.ndarray[tuple[int], np.dtype[np.float64]]
    ranker: Mapping[str, object]
    gains: Mapping[str, Gain]

    def as_json(self) -> dict[str, object]:
        """Return the figures under the field's standard names."""
        quality = self.quality
        figures: dict[str, object] = {"predictions": quality["predictions"]}
        for name in ("hit_rate", "mrr", "ndcg", "coverage"):
            figures[f"{name}@{CUTOFF}"] = round(quality[name], 4)
        figures["cold_predictions"] = self.cold["predictions"]
        figures[f"cold_hit_rate@{CUTOFF}"] = round(self.cold["hit_rate"], 4)
        times = np.percentile(self.seconds, PERCENTILES) if len(self.seconds) else [None] * len(PERCENTILES)
        figures["predict_seconds"] = {
            f"p{percentile}": None if seconds is None else round(float(seconds), 7)
            for percentile, seconds in zip(PERCENTILES, times, strict=True)
        }
        for rule, measured in (("repeats_allowed", self.repeats), ("formula", self.formula)):
            for name in ("hit_rate", "mrr", "ndcg"):
                figures[f"{rule}.{name}@{CUTOFF}"] = round(measured[name], 4)
        for name, found in self.gains.items():
            figures[f"gain.{name}@{CUTOFF}"] = {bound: round(value, 4) for bound, value in found._asdict().items()}
        return figures | dict(self.ranker)


def read_experiment(folder: Path, since: float | None) -> Experiment:
    """Return the log in `folder`, split into past and future.

    The folder holds `train_sessions.txt[.gz]` and `test_cases.txt[.gz]`, or events as CSV or JSON
    lines. Events are split by their field `split`, or at `since` (seconds since 1970). Rows that
    lack a field or have too many cells are left out and logged. Raises HeadraceError with advice.
    """
    if not folder.is_dir():
        what = "is a file; give the folder that holds it" if folder.exists() else "does not exist; give a log's folder"
        raise HeadraceError(f"{folder} {what}")
    train, cases = _found(folder, "train_sessions.txt"), _found(folder, "test_cases.txt")
    try:
        if train and cases:
            return read_lines(_lines(train), _lines(cases))
        events = in_folder(folder, "events")
        if events is None:
            raise HeadraceError(
                f"{folder} holds neither events.csv[.gz] nor events.jsonl[.gz], nor train_sessions.txt[.gz] with "
                "test_cases.txt[.gz]"
            )
        rows = _usable(events)
        if since is not None:
            return split_by_time(rows, since)
        first = list(islice(rows, 1))
        if not all("split" in row for row in first):
            raise HeadraceError(f"{events} has no column split; say where the test begins with --from TIME")
        return split_by_column(chain(first, rows))
    except ValueError as error:
        raise HeadraceError(f"{folder} cannot be evaluated: {error}") from error


def measure(experiment: Experiment, lister: Lister, show: Show) -> Measured:
    """Learn the past, then predict every test case and note the rank of the next item."""
    recommender = lister.recommender
    lister.warm_up()
    for done in learn(experiment.train, lister):
        show(f"learned {done:,} of {len(experiment.train):,} events")
    lister.begin()
    evaluation, cold, repeats, by_formula = (Evaluation(CUTOFF) for _ in range(4))
    warm = {visit.item_id for visit in experiment.train}
    seconds = np.zeros(len(experiment.cases))
    ranks = np.zeros((len(experiment.cases), 2), np.int64)
    guests = Guests(recommender)
    for number, case in enumerate(experiment.cases):
        request = guests.request(case)
        start = time.perf_counter()
        ranking = lister.list_for(case, request, repeats=False)
        seconds[number] = time.perf_counter() - start
        ranks[number] = evaluation.add(ranking, case.actual), by_formula.add(lister.formula_list(request), case.actual)
        repeats.add(lister.list_for(case, request, repeats=True), case.actual)
        if case.actual not in warm:
            cold.add(ranking, case.actual)
        show(f"predicted {number + 1:,} of {len(experiment.cases):,}")
    known = len(recommender.items)
    quality, of_cold, of_repeats, of_formula = (
        asdict(each.result(known)) for each in (evaluation, cold, repeats, by_formula)
    )
    gains = _gains(ranks, experiment.cases)
    return Measured(quality, of_cold, of_repeats, of_formula, seconds, lister.figures(), gains)


def _gains(ranks: NDArray[np.int64], cases: Sequence[Case]) -> dict[str, Gain]:
    """What the first column of ranks gains over the second; a case of one item begins a session."""
    session = np.maximum(np.cumsum([len(case.seen) == 1 for case in cases], dtype=np.int64) - 1, 0)
    hits = (ranks > 0).astype(np.float64)
    shares = hits / np.maximum(ranks, 1)
    by_measure = (("hit_rate", hits), ("mrr", shares))
    return {name: gain(column[:, 0], column[:, 1], session) for name, column in by_measure}


class Guests:
    """Profiles of guests who did just what a case says; cases have an order but no times."""

    def __init__(self, recommender: Recommender) -> None:
        self._maker = ListMaker.of(recommender, capacity=1)

    def request(self, case: Case) -> ListRequests:
        """What the guest's list is made from."""
        table, count = self._maker.table, len(case.seen)
        source, places = table.number_source(SOURCE)
        slots = table.find([GUEST])
        table.discard(slots[slots != MISSING])
        slots = table.add({GUEST: None})
        at = np.arange(count)
        table.step(
            Steps(
                slots=np.repeat(slots, count),
                items=table.items.numbers(case.seen),
                ts=at.astype(np.float64),
                offsets=at,
                named=np.ones(count, np.bool_),
                opened=np.zeros(count),
                places=places,
                source=source,
                kind=int(Kind.CLICK),
            )
        )
        return self._maker.request(slots, np.array([NO_SESSION], np.uint64))


def learn(train: Sequence[Visit], lister: Lister) -> Iterator[int]:
    """Let the lister learn the visits; yields how many it has learned so far."""
    for first in range(0, len(train), LEARNING_EVENTS):
        visits = train[first : first + LEARNING_EVENTS]
        lister.learn(
            LearningBatch(
                items=lister.recommender.items.numbers(visit.item_id for visit in visits),
                sessions=np.array([hash_session(visit.session_id) for visit in visits], np.uint64),
                ts=np.array([visit.ts for visit in visits]),
                kinds=np.full(len(visits), Kind.CLICK, np.int32),
            ),
            np.array([hash_session(visit.user_id or visit.session_id) for visit in visits], np.uint64),
        )
        yield first + len(visits)


def _found(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _usable(events: Path) -> Iterator[Row]:
    """Yield the rows that can be used. The others are left out and logged."""
    left_out = LeftOut(events)
    for number, row in _rows(events):
        if isinstance(row, str):
            left_out.add(number, row)
        elif (fault := fault_of(row) or _kind_fault(row)) is not None:
            left_out.add(number, fault)
        else:
            yield row
    left_out.tell()


def _kind_fault(row: Row) -> str | None:
    """Return why a row's kind is no interaction; None for a log without kinds."""
    kind = row.get("kind")
    if kind is None or not isinstance(topic_of(str(kind), row.get("rating", "")), Reason):
        return None
    return f"kind {str(kind)[:64]!r} is none of {', '.join(KINDS)}, or a rating without a number"


def _rows(events: Path) -> Iterator[tuple[int, Row | str]]:
    for row in open_table(events, NO_MAPPING).rows(NO_LAST_CELL, COLUMNS):
        if row.fault is not None:
            yield row.number, row.fault[1]
        else:
            yield row.number, row.fields or {}


def _lines(path: Path) -> Iterator[str]:
    for row in lines_of(path):
        try:
            yield row.content.decode("utf-8-sig" if row.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise HeadraceError(f"{path}, line {row.number}: not UTF-8 ({error.reason})") from error

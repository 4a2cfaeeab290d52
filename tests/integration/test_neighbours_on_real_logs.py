"""The neighbour index on real shops' logs. Skipped if the shared data are absent."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import xxhash

from models.evaluation.hits import Evaluation, Quality
from models.evaluation.session_protocol import Experiment, split_by_column, split_by_time
from models.neighbours.index import NeighbourIndex, NeighbourSettings, Queries
from models.vocabulary import Vocabulary

DATA = Path(os.environ.get("HEADRACE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def read_rows(folder: str) -> list[dict[str, str]]:
    path = DATA / folder / "events.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def learn(experiment: Experiment) -> tuple[NeighbourIndex, Vocabulary]:
    vocabulary, train = Vocabulary(), experiment.train
    index = NeighbourIndex(NeighbourSettings(), vocabulary)
    index.update(
        np.array([xxhash.xxh3_64_intdigest(visit.session_id.encode()) for visit in train], np.uint64),
        vocabulary.numbers(visit.item_id for visit in train),
        np.array([visit.ts for visit in train]),
    )
    return index, vocabulary


def recommend(index: NeighbourIndex, vocabulary: Vocabulary, experiment: Experiment) -> list[list[str]]:
    rows = []
    for case in experiment.cases:
        recent = vocabulary.numbers(case.recent).tolist()
        rows.append((recent, recent[:1], 0))
    items, _ = index.predict_many(Queries.build(rows), np.zeros(0, np.float32), 20)
    return [[vocabulary.names[item] for item in row if item >= 0] for row in items.tolist()]


def measure(experiment: Experiment) -> Quality:
    index, vocabulary = learn(experiment)
    catalogue = len(vocabulary)
    evaluation = Evaluation(k=20)
    for ranking, case in zip(recommend(index, vocabulary, experiment), experiment.cases, strict=True):
        evaluation.add(ranking, case.actual)
    return evaluation.result(catalogue)


def test_bolcoms_next_clicks_are_found_better_than_published() -> None:
    quality = measure(split_by_column(read_rows("bolcom_serenade_toy")))

    assert quality.predictions == 931
    assert quality.hit_rate > 0.6638
    assert quality.mrr > 0.3401


def test_learning_bolcoms_log_in_any_order_gives_the_same_lists() -> None:
    straight = split_by_column(read_rows("bolcom_serenade_toy"))
    order = np.random.default_rng(1).permutation(len(straight.train))
    mixed = Experiment([straight.train[i] for i in order], straight.cases)

    assert recommend(*learn(mixed), mixed) == recommend(*learn(straight), straight)


def test_the_defaults_serve_another_shop_too() -> None:
    rows = read_rows("rees46_multicategory_3h")
    experiment = split_by_time(rows, since=float(rows[len(rows) * 2 // 3]["ts"]))
    known = {visit.item_id for visit in experiment.train}
    # After two hours of learning, most next items are new or the current one. Neither can be in a
    # list.
    possible = [case for case in experiment.cases if case.actual in known and case.actual != case.current]

    quality = measure(Experiment(experiment.train, possible))

    assert quality.predictions == 780
    assert quality.hit_rate > 0.35
    assert quality.mrr > 0.16

"""A robot that makes half of all events hardly changes what other users are shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.datasets.folder import open_dataset
from app.evaluate.lister import AUTO, Lister
from app.evaluate.stream import read_stream
from models.evaluation.prequential import EventStream, StreamPlan, evaluate
from models.ranker.settings import RankerSettings
from models.recommender import LearningBatch, Recommender, RecommenderSettings
from models.vocabulary import Vocabulary

EVENTS = 6_000  # the newest of bol.com's clicks
A_SESSION = 10  # events of each of the robot's sessions
ROBOT = 99


def newest(shop_data: Path) -> EventStream:
    stream = read_stream(open_dataset(shop_data / "bolcom_serenade_toy"), Vocabulary())
    return stream.part(len(stream.users) - EVENTS, len(stream.users))


def with_robot(people: EventStream, looks_at: NDArray[np.int32]) -> EventStream:
    """Before each event of people, one of the robot's."""

    def beside(robot: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
        return np.stack([robot, others], axis=1).reshape(-1)

    items, sessions, ts, kinds = people.events
    visits = (10**9 + np.arange(EVENTS) // A_SESSION).astype(np.uint64)
    both = LearningBatch(beside(looks_at, items), beside(visits, sessions), np.repeat(ts, 2), np.repeat(kinds, 2))
    return EventStream(both, beside(np.full(EVENTS, ROBOT, np.uint64), people.users))


def hit_rate_of_people(stream: EventStream, items: int) -> float:
    recommender = Recommender(RecommenderSettings())
    recommender.items.numbers(f"item {number:06}" for number in range(items))
    lister = Lister(recommender, AUTO, RankerSettings())
    lister.begin()
    scored = evaluate(stream, lister, StreamPlan(), lambda _done, _of: None)
    assert lister.ranker is not None
    assert not lister.ranker.has_stopped
    return float((scored.ranks > 0)[stream.users[scored.events] != ROBOT].mean())


def test_the_hit_rate_of_others_moves_by_less_than_two_percent(shop_data: Path) -> None:
    people = newest(shop_data)
    items = int(people.events.items.max()) + 1
    random = np.random.default_rng(0)
    robots = {
        "at random": random.integers(0, items, EVENTS).astype(np.int32),
        "at the same 20": (items - 20 + np.arange(EVENTS) % 20).astype(np.int32),
    }

    alone = hit_rate_of_people(people, items)
    beside = {name: hit_rate_of_people(with_robot(people, looks_at), items) for name, looks_at in robots.items()}

    assert alone > 0.3
    assert beside == {name: pytest.approx(alone, rel=0.02) for name in robots}

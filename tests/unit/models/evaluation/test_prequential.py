"""Event by event: recommend, score, then learn; learning may lag, what a session holds not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.contract.events import Kind
from models.evaluation.breakdown import break_down
from models.evaluation.prequential import NEVER, Answers, EventStream, Scored, StreamPlan, evaluate
from models.ranker.relations import Prefixes
from models.recommender import LearningBatch

HOUR = 3_600.0


class Recorder:
    """Learns nothing but the number of events; lists the last item of the session, and one more."""

    def __init__(self) -> None:
        self.learned: list[int] = []
        self.asked: list[tuple[int, list[int]]] = []

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        assert len(users) == len(events.items)
        self.learned.extend(events.items.tolist())

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        for held, size in zip(before.items, before.sizes, strict=True):
            self.asked.append((len(self.learned), held[:size].tolist()))
        lists = np.stack([before.items[np.arange(len(own)), before.sizes - 1] + 1, np.full(len(own), -1)], axis=1)
        return Answers(lists.astype(np.int32), np.zeros(len(own), np.int64), np.ones(len(own), np.uint16))


def stream_of(*rows: tuple[float, int, int]) -> EventStream:
    """Events in time order: hours, session, item; each session is of a user of its own."""
    hours, sessions, items = zip(*rows, strict=True)
    named = np.array(sessions, np.uint64)
    kinds = np.zeros(len(rows), np.int32)
    return EventStream(LearningBatch(np.array(items, np.int32), named, HOUR * np.array(hours), kinds), named)


STREAM = stream_of((0, 1, 10), (1, 2, 20), (2, 1, 11), (3, 2, 21), (4, 1, 13))


def run(plan: StreamPlan, stream: EventStream = STREAM) -> tuple[Recorder, Scored]:
    recorder = Recorder()
    return recorder, evaluate(stream, recorder, plan, lambda _done, _of: None)


def test_each_event_is_predicted_from_its_session_before_it_is_learned() -> None:
    recorder, scored = run(StreamPlan(batch=1))

    assert recorder.asked == [(2, [10]), (3, [20]), (4, [10, 11])]
    assert recorder.learned == [10, 20, 11, 21]
    assert scored.events.tolist() == [2, 3, 4]
    assert scored.ranks.tolist() == [1, 1, 0]
    assert scored.shown.tolist() == [11, 12, 21]


def test_a_batch_is_predicted_before_any_of_it_is_learned() -> None:
    recorder, scored = run(StreamPlan(batch=4))

    assert recorder.asked == [(0, [10]), (0, [20]), (4, [10, 11])]
    assert scored.ranks.tolist() == [1, 1, 0]


def test_learning_lags_by_the_delay_but_the_session_is_known() -> None:
    recorder, _ = run(StreamPlan(batch=1, delay=2 * HOUR))

    assert recorder.asked == [(1, [10]), (2, [20]), (3, [10, 11])]


def test_with_never_nothing_is_learned_from_the_first_prediction_on() -> None:
    recorder, scored = run(StreamPlan(batch=1, since=1.5 * HOUR, delay=NEVER))

    assert recorder.asked == [(2, [10]), (2, [20]), (2, [10, 11])]
    assert recorder.learned == [10, 20]
    assert scored.events.tolist() == [2, 3, 4]


def test_what_comes_before_the_first_prediction_is_learned() -> None:
    recorder, scored = run(StreamPlan(batch=1, since=3 * HOUR))

    assert recorder.asked == [(3, [20]), (4, [10, 11])]
    assert scored.events.tolist() == [3, 4]


def test_a_limit_takes_whole_sessions_and_learns_everything() -> None:
    sessions = [(float(at), session, 2 * at) for at in range(4) for session in range(1, 501)]
    recorder, scored = run(StreamPlan(limit=500), stream_of(*sessions))

    predicted = np.bincount(np.array(sessions)[scored.events, 1].astype(int))
    assert set(predicted.tolist()) == {0, 3}
    assert 400 < len(scored.events) < 600
    assert len(recorder.learned) == 2_000 - 2_000 % 32


def test_a_limit_counts_what_can_be_predicted_and_not_the_first_events_of_sessions() -> None:
    sessions = [(float(at), session, 2 * at) for at in range(2) for session in range(1, 101)]

    assert len(run(StreamPlan(limit=100), stream_of(*sessions))[1].events) == 100


def test_an_empty_stream_has_no_predictions() -> None:
    nothing = stream_of((0, 1, 10))

    assert not len(run(StreamPlan(), nothing)[1].events)


def test_figures_tell_cold_users_and_items_kinds_sources_and_time() -> None:
    stream = stream_of((0, 1, 10), (1, 1, 11), (2, 2, 10), (3, 2, 11), (4, 2, 13))
    stream = stream._replace(users=np.full(5, 7, np.uint64))
    stream.events.kinds[4] = Kind.ORDER
    scored = run(StreamPlan(batch=1), stream)[1]

    found = break_down(stream, scored, catalogue_size=4)

    assert found.whole.predictions == 3
    assert found.whole.hit_rate == pytest.approx(2 / 3)
    assert found.hit_rate.low <= found.hit_rate.mean <= found.hit_rate.high
    assert (found.cold_users.predictions, found.cold_users.hit_rate) == (1, 1.0)  # the user's first session
    assert (found.cold_items.predictions, found.cold_items.hit_rate) == (2, 0.5)  # the first 11, and 13
    assert {name: part.hit_rate for name, part in found.kinds.items()} == {"view": 1.0, "order": 0.0}
    assert found.sources["session"].hit_rate == pytest.approx(2 / 3)
    assert found.coverage == 0.5
    assert [each.whole.predictions for each in found.windows] == [1, 0, 0, 0, 0, 0, 1, 0, 0, 1]

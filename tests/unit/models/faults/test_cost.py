"""Predictions are of what users really did, whatever was learned."""

import numpy as np
import orjson
from numpy.typing import NDArray

from models.contract.event_codec import EventSettings
from models.evaluation.prequential import Answers, StreamPlan
from models.faults.consumers import Consumed, consume, consume_unchecked
from models.faults.cost import rank_truth, truth_of
from models.faults.events import Arrival, Fault, SoundEvent, corrupt
from models.ranker.relations import Prefixes
from models.recommender import LearningBatch
from models.vocabulary import Vocabulary

START = 1_600_000_000.0


class Recorder:
    """Learns nothing: lists the item that came last, and notes what it was asked."""

    def __init__(self) -> None:
        self.learned: list[int] = []
        self.held: list[list[int]] = []

    def learn(self, events: LearningBatch, users: NDArray[np.uint64]) -> None:
        self.learned += events.items.tolist()

    def answers(self, before: Prefixes, own: NDArray[np.uint64], targets: NDArray[np.int32]) -> Answers:
        self.held += [sorted(items[:size]) for items, size in zip(before.items.tolist(), before.sizes, strict=True)]
        last = np.array([[self.learned[-1] if self.learned else -1]] * len(own), np.int32)
        nothing = np.zeros(len(own), np.int64)
        return Answers(last, nothing, nothing.astype(np.uint16))


def log(items: str) -> list[SoundEvent]:
    """One session of views, a second apart."""
    return [
        SoundEvent(
            "views",
            None,
            orjson.dumps({"event_id": f"e{n}", "user_id": "u", "session_id": "s", "item_id": item, "ts": START + n}),
            START + n,
        )
        for n, item in enumerate(items)
    ]


def ranked(
    arrivals: list[Arrival], consumed: Consumed, sound: list[SoundEvent]
) -> tuple[list[int], Recorder, list[str]]:
    unchecked = consume_unchecked([Arrival(*each, row) for row, each in enumerate(sound)])
    truth = truth_of(unchecked, np.array([each.time for each in sound]), StreamPlan())
    recorder, items = Recorder(), Vocabulary()
    ranks = rank_truth(arrivals, consumed, truth, recorder, items, 1, lambda _done, _of: None)
    return ranks.tolist(), recorder, items.names


def test_on_an_untouched_log_each_event_but_the_first_is_predicted_from_those_before_it() -> None:
    sound = log("aab")
    arrivals = [Arrival(*each, row) for row, each in enumerate(sound)]

    ranks, recorder, names = ranked(arrivals, consume_unchecked(arrivals), sound)

    assert ranks == [1, 0]
    assert [[names[item] for item in held] for held in recorder.held] == [["a"], ["a", "a"]]


def test_an_event_whose_record_was_lost_is_predicted_and_not_learned() -> None:
    sound = log("abc")
    arrivals = [Arrival(*each, row) for row, each in enumerate(sound)]
    arrivals[1] = arrivals[1]._replace(value=b"{", fault=Fault.CUT_OFF)

    ranks, recorder, names = ranked(arrivals, consume(arrivals, EventSettings()), sound)

    assert len(ranks) == 2
    assert [names[item] for item in recorder.learned] == ["a", "c"]
    assert [[names[item] for item in held] for held in recorder.held] == [["a"], ["a"]]


def test_a_repeat_is_learned_twice_without_the_stage_and_once_with_it() -> None:
    sound = log("abcd")
    arrivals = corrupt(sound, 1.0, [Fault.REPEATED], np.random.default_rng(0))

    _, without, _ = ranked(arrivals, consume_unchecked(arrivals), sound)
    _, with_stage, _ = ranked(arrivals, consume(arrivals, EventSettings()), sound)

    assert (len(without.learned), len(with_stage.learned)) == (8, 4)
